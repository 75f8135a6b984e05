// Reading QR codes with the camera, where the browser can tell what is in a picture.

const EVERY_MS = 200;
const WIDTH_MAX = 720; // what is wider only costs time
const SAME_MS = 3000; // a code that stays before the camera is one code

// The browser's own eye, or the reader that npm brought; null when there is neither.
async function detector(root) {
  if (!navigator.mediaDevices) return null;
  if ("BarcodeDetector" in globalThis) {
    const formats = await BarcodeDetector.getSupportedFormats();
    if (formats.includes("qr_code")) {
      const own = new BarcodeDetector({ formats: ["qr_code"] });
      return async (video) => (await own.detect(video))[0]?.rawValue;
    }
  }
  return root.dataset.reader ? reader(root.dataset.reader) : null;
}

function reader(address) {
  const script = document.createElement("script");
  script.src = address;
  document.head.append(script);
  const sheet = document.createElement("canvas");
  const ink = sheet.getContext("2d", { willReadFrequently: true });
  return (video) => {
    if (!globalThis.jsQR || !video.videoWidth) return null;
    const scale = Math.min(1, WIDTH_MAX / video.videoWidth);
    sheet.width = Math.round(video.videoWidth * scale);
    sheet.height = Math.round(video.videoHeight * scale);
    ink.drawImage(video, 0, 0, sheet.width, sheet.height);
    const { data } = ink.getImageData(0, 0, sheet.width, sheet.height);
    return globalThis.jsQR(data, sheet.width, sheet.height)?.data;
  };
}

export async function camera(root, read, failed) {
  const eye = await detector(root).catch(() => null);
  if (!eye) return;
  const button = root.querySelector("[data-camera]");
  const video = root.querySelector("[data-video]");
  const start = button.textContent;
  let stream = null;
  let last = { text: "", at: 0 };

  function close() {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
    video.hidden = true;
    button.textContent = start;
  }

  async function look() {
    if (!stream) return;
    try {
      const text = await eye(video);
      const now = Date.now();
      if (text && (text !== last.text || now - last.at > SAME_MS)) await read(text);
      if (text) last = { text, at: now };
    } catch {
      // No picture yet.
    }
    setTimeout(look, EVERY_MS);
  }

  button.hidden = false;
  button.addEventListener("click", async () => {
    if (stream) {
      close();
      return;
    }
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      failed();
      return;
    }
    video.srcObject = stream;
    video.hidden = false;
    button.textContent = button.dataset.off;
    await video.play();
    look();
  });
  addEventListener("pagehide", close);
}
