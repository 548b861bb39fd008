// Without a connection: the emergency words. Only static parts and that one page are kept; never a page with words.

/* global self, caches, fetch */
const CACHE = 'lanyard-1'
const KEPT = ['/offline']

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()))
})
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url)
  if (url.origin !== self.location.origin) return
  if (url.pathname.startsWith('/assets/')) {
    event.respondWith(caches.open(CACHE).then(async (cache) => {
      const kept = await cache.match(event.request)
      if (kept) return kept
      const answer = await fetch(event.request)
      if (answer.ok) cache.put(event.request, answer.clone())
      return answer
    }))
  } else if (event.request.mode === 'navigate') {
    event.respondWith(fetch(event.request).catch(() => caches.match('/offline')))
  }
})
