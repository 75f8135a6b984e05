// Without a network the pages that were taken along come from this phone; nothing else does.
"use strict";

const SHELL = "shanhai-shell";
const PATIENCE_MS = 4000; // a network that answers nothing is none
const PAGES = /^\/(trips|inn)\/[0-9a-f-]{36}\/(boarding|desk)$/;
const ASSETS = /^\/(static|fonts)\//;

addEventListener("install", () => self.skipWaiting());
addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && PAGES.test(url.pathname)) event.respondWith(page(request));
  else if (ASSETS.test(url.pathname)) event.respondWith(asset(request));
});

async function page(request) {
  const kept = await found(request);
  if (!kept) return fetch(request);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(PATIENCE_MS) });
    return answer.status >= 500 ? kept : answer;
  } catch {
    return kept;
  }
}

// An asset's address changes with its content, so the one that is here is the right one.
async function asset(request) {
  return (await found(request)) ?? fetch(request);
}

async function found(request) {
  const shell = await caches.open(SHELL);
  return shell.match(request, { ignoreSearch: true, ignoreVary: true });
}
