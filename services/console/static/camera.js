// Reading QR codes with the camera, where the browser can tell what is in a picture.

const EVERY_MS = 200;
const SAME_MS = 3000; // a code that stays before the camera is one code

async function detector() {
  if (!("BarcodeDetector" in globalThis) || !navigator.mediaDevices) return null;
  const formats = await BarcodeDetector.getSupportedFormats();
  return formats.includes("qr_code") ? new BarcodeDetector({ formats: ["qr_code"] }) : null;
}

export async function camera(root, read, failed) {
  const eye = await detector().catch(() => null);
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
      const text = (await eye.detect(video))[0]?.rawValue;
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
