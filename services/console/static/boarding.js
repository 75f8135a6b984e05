// Boarding a trip: tickets, names, "all but these", and a stop that is done.
import { Page } from "./offline.js";
import { ticketOf } from "./ticket.js";

const MAY_BOARD = ["booked", "missed"];

class Boarding {
  done = "boarded";
  doneWord = "boarded_row";
  absent = new Set();

  listen(page) {
    this.trip = page.root.dataset.trip;
    this.stop = page.part("stop");
    this.stop.addEventListener("change", () => page.draw());
    page.part("board-all").addEventListener("click", () => this.boardAll(page));
    page.part("stop-done").addEventListener("click", () => this.stopDone(page));
  }

  // A page that comes up again goes on where the coach is: at the first stop that isn't done.
  opened(page) {
    const next = page.list?.stops.find((stop) => !this.isDone(page, stop.code));
    if (next) this.stop.value = next.code;
  }

  // Who comes running after the list was closed may still get in.
  awaited(person) {
    return MAY_BOARD.includes(person.state);
  }

  expects(person, page) {
    return !this.isDone(page, person.stop);
  }

  isDone(page, code) {
    if (page.entry(`stop.${code}`)) return true;
    return Boolean(page.list?.stops.find((stop) => stop.code === code)?.done);
  }

  told(entry, page) {
    const stop = page.list?.stops.find((one) => `stop.${one.code}` === entry.person);
    if (stop) stop.done = true;
  }

  shown(page) {
    return (page.list?.people ?? []).filter((one) => one.stop === this.stop.value);
  }

  command(person, at, ticket) {
    const body = {
      scan_id: crypto.randomUUID(), booking_id: person.id, scanned_at: at, stop: this.stop.value,
    };
    return { url: `/trips/${this.trip}/boarding/scans`, body: ticket ? { ...body, ticket } : body };
  }

  // A ticket answers at once whether this is its bus; the server says so again.
  async read(text, page) {
    const ticket = ticketOf(text);
    if (!ticket) return false;
    const here = ticket.trip === this.trip;
    const person = here ? page.person(ticket.booking) : null;
    if (person) {
      await page.noteOne(person, text);
      return true;
    }
    const label = `${page.word("ticket")} ${ticket.booking.slice(-6).toUpperCase()}`;
    if (page.entry(ticket.booking)) {
      page.say(false, here ? "twice" : "wrong_trip", { who: label });
      return true;
    }
    if (!here) page.say(false, "wrong_trip");
    else page.say(!page.list, page.list ? "not_on_list" : "here_noted", { who: label });
    const unknown = { id: ticket.booking };
    const command = (at) => this.command(unknown, at, text);
    await page.note([{ person: unknown, label, command }]);
    return true;
  }

  left(page) {
    return this.shown(page).filter((one) => page.isAwaited(one) && !this.absent.has(one.id));
  }

  // A scan for each on this list: who got a seat later was seen by nobody, and isn't boarded.
  async boardAll(page) {
    const left = this.left(page);
    if (!left.length) return;
    page.say(true, "all_noted", { m: left.length });
    await page.note(left.map((person) => ({ person, command: (at) => this.command(person, at) })));
  }

  async stopDone(page) {
    const code = this.stop.value;
    const label = this.stop.selectedOptions[0].textContent;
    const url = `/trips/${this.trip}/boarding/stops/${code}`;
    page.say(true, "stop_noted", { stop: label });
    const person = { id: `stop.${code}` };
    await page.note([{ person, label, command: () => ({ url, body: {} }) }]);
  }

  draw(page) {
    const left = this.left(page).length;
    const ticked = this.shown(page).filter((one) => this.absent.has(one.id) && page.isAwaited(one));
    page.part("all").hidden = left === 0;
    const all = page.part("board-all");
    all.textContent = ticked.length
      ? page.word("all_but", { n: ticked.length, m: left })
      : page.word("all_of", { m: left });
    page.part("finish").hidden = !page.list || this.isDone(page, this.stop.value);
  }

  row(row, person, page) {
    const box = row.querySelector("[data-absent]");
    box.checked = this.absent.has(person.id);
    box.addEventListener("change", () => {
      if (box.checked) this.absent.add(person.id);
      else this.absent.delete(person.id);
      this.draw(page);
    });
    box.closest("label").hidden = !page.isAwaited(person);
  }
}

new Page(new Boarding()).start();
