// Checking in tonight's guests: by name, by bed, or by the ticket of the coach they came with.
import { Page } from "./offline.js";
import { digestOf, ticketOf } from "./ticket.js";

class FrontDesk {
  done = "checked_in";
  doneWord = "checked_in_row";

  awaited(person) {
    return person.state === "confirmed";
  }

  shown(page) {
    return page.list?.people ?? [];
  }

  command(person, at) {
    return { url: "/inn/desk/check-ins", body: { stay_id: person.id, at } };
  }

  async read(text, page) {
    const ticket = ticketOf(text);
    if (!ticket) return false;
    const digest = await digestOf(ticket.booking);
    const person = page.list?.people.find((one) => one.tickets.includes(digest));
    if (person) await page.noteOne(person);
    else page.say(false, "not_tonight");
    return true;
  }
}

new Page(new FrontDesk()).start();
