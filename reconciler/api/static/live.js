// Replaces parts of the page as they change. Without it the page is as complete; it only grows old.
"use strict";
(() => {
  const address = document.body.dataset.live;
  const spoken = document.getElementById("spoken");
  if (!address || !window.EventSource) return;

  // Never under somebody's hands: what holds the focus, or an open dialog, waits until they are gone.
  const waiting = new Map();
  const inUse = (part) => part.contains(document.activeElement) || part.querySelector(":popover-open") !== null;

  const replace = ({ id, html, quiet }) => {
    const old = document.getElementById(id);
    if (!old) return;
    const made = document.createElement("template");
    made.innerHTML = html;
    const fresh = made.content.firstElementChild;
    if (!fresh) return;
    waiting.delete(id);
    if (old.isEqualNode(fresh)) return;
    if (inUse(old)) {
      waiting.set(id, { id, html, quiet: true });
      return;
    }
    if (!quiet && id !== "daemon" && id !== "dialogs") fresh.classList.add("changed");
    old.replaceWith(fresh);
    if (id === "groupings") regrouped(fresh);
    if (fresh.dataset.stands) outdated(fresh);
    if (!quiet && !["daemon", "dialogs", "groupings", "head"].includes(id)) say(id, fresh);
  };

  const catchUp = () => setTimeout(() => { for (const one of [...waiting.values()]) replace(one); }, 0);
  document.addEventListener("focusout", catchUp);
  document.addEventListener("toggle", catchUp, true);

  // Rows stay where they are under the reader's eyes; a link says how many belong elsewhere by now.
  const regrouped = (told) => {
    const groups = { person: told.dataset.person.split(" "), motion: told.dataset.motion.split(" ") };
    const shown = new Map([...document.querySelectorAll("tr[data-app]")].map((row) => [row.dataset.app, row.parentNode.dataset.group]));
    const moved = new Set();
    for (const [group, names] of Object.entries(groups)) {
      for (const name of names) if (name && shown.get(name) !== group) moved.add(name);
      for (const [name, at] of shown) if (at === group && !names.includes(name)) moved.add(name);
    }
    const note = document.getElementById("regrouped");
    note.hidden = moved.size === 0;
    note.querySelector("a").textContent = `${moved.size} app${moved.size === 1 ? "" : "s"} changed group, show`;
  };

  // An open dialog whose environment has come to something else: what is sent would be refused.
  const outdated = (card) => {
    for (const form of document.querySelectorAll(":popover-open form")) {
      const about = form.querySelector("[data-environment]")?.dataset.environment || form.elements.environment?.value;
      const expected = form.elements.expected?.value;
      // Where the environment is still to be chosen, what stands in each; without a version, the one before it counts too.
      const here = `${card.dataset.environment}=`;
      const stood = [...form.querySelectorAll("[name=stands]")].find((one) => one.value.startsWith(here))?.value;
      const counts = about === card.dataset.environment || (stood && !form.elements.version?.value);
      const known = !expected || [card.dataset.stands, card.dataset.elsewhere].includes(expected);
      if (counts && (!known || (stood && stood !== here + card.dataset.stands))) {
        form.querySelector("[data-stale]").hidden = false;
      }
    }
  };

  // At most every ten seconds; the last word is not lost.
  const PAUSE = 10000;
  let saidAt = -PAUSE, next = "", timer = 0;
  const say = (id, element) => {
    next = element.dataset.spoken || `${id.replace(".", " in ")} has changed`;
    if (timer) return;
    timer = setTimeout(() => {
      spoken.textContent = next;
      saidAt = performance.now();
      timer = 0;
    }, Math.max(0, saidAt + PAUSE - performance.now()));
  };

  // On the page's clocks, as everything else there; a zone that this browser does not know is left out.
  const clocks = (zone) => {
    const on = (timeZone) => new Date().toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
    const utc = `${on("UTC")} UTC`;
    try {
      return !zone || zone === "UTC" ? utc : `${on(zone)} ${zone} (${utc})`;
    } catch {
      return utc;
    }
  };

  let lost = 0, since = "";
  const mark = () => {
    const daemon = document.getElementById("daemon");
    if (!lost || Date.now() - lost < 3000) return;
    document.body.classList.add("lost");
    if (daemon) daemon.dataset.lost = `connection lost, no news since ${since}`;
    if (Date.now() - lost > 60000) {
      for (const time of document.querySelectorAll("main time[title]")) time.textContent = time.title;
    }
  };
  setInterval(mark, 1000);

  // A browser opens six connections to a place for all its pages together, and a stream holds one of them. So a page
  // that nobody sees lets go of its own; of those that are seen some listen, and the others look again and again.
  const STREAMS = 4, LOOK = 10000, LATEST = 10000, WHOLE = 500;
  let source = null, leave = null, later = 0, turn = 0, away = 0;

  const reserved = async () => {
    if (!navigator.locks) return () => {};
    for (let number = 1; number <= STREAMS; number += 1) {
      const free = await new Promise((told, failed) => {
        const held = (lock) => (lock ? new Promise(told) : told(null));
        navigator.locks.request(`live-${number}`, { ifAvailable: true }, held).catch(failed);
      });
      if (free) return free;
    }
    return null;
  };

  const close = () => {
    turn += 1;
    clearTimeout(later);
    source?.close();
    leave?.();
    source = leave = null;
  };
  const after = (pause, next) => {
    clearTimeout(later);
    later = setTimeout(next, pause);
  };
  const glanced = () => {
    close();
    after(LOOK, listen);
  };

  const listen = async () => {
    close();
    if (document.hidden) return;
    const mine = turn;
    const free = await reserved().catch(() => () => {});
    if (mine !== turn) {
      free?.();
      return;
    }
    leave = free;
    const glance = free === null;
    source = new EventSource(`${address}${location.search}`);
    source.onopen = () => {
      lost = away = 0;
      document.body.classList.remove("lost");
      document.body.dataset.listening = "yes";
      if (glance) after(LATEST, glanced);
    };
    source.onmessage = (event) => {
      replace(JSON.parse(event.data));
      if (glance) after(WHOLE, glanced);
    };
    source.onerror = () => {
      if (!lost) {
        if (!away) since = clocks(document.getElementById("daemon")?.dataset.zone);
        lost = away || Date.now();
      }
      if (source?.readyState === EventSource.CLOSED || glance) after(5000, listen);
    };
  };

  const hide = () => {
    close();
    if (lost || away) return;
    away = Date.now();
    since = clocks(document.getElementById("daemon")?.dataset.zone);
  };
  document.addEventListener("visibilitychange", () => (document.hidden ? hide() : listen()));
  window.addEventListener("pagehide", hide);
  // A page that comes back from the browser's memory listens again.
  window.addEventListener("pageshow", (event) => { if (event.persisted) listen(); });
  listen();
})();
