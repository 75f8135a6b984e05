// The text of a coach ticket's QR code; only the server can tell whether it was signed by us.

const TICKET = /^SH1\.([0-9A-F]{32})\.([0-9A-F]{32})\.[^.]+\.[^.]+\.[A-Z2-7]+$/;
const DIGITS = 32;

export function ticketOf(text) {
  const found = TICKET.exec(text.trim().toUpperCase());
  return found && { trip: id(found[1]), booking: id(found[2]) };
}

function id(hex) {
  return hex.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// What stands for a ticket where nobody may know its booking.
export async function digestOf(booking) {
  const plain = new TextEncoder().encode(booking.replaceAll("-", ""));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", plain));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, DIGITS);
}
