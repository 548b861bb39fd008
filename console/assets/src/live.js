// Live pages: the server says only that something changed (htmx and its extension for server-sent events); the parts
// marked `data-live` are then fetched, keeping what the reader has half typed or opened and where they were reading, and
// the browser reports which messages are on the screen.

import htmx from 'htmx.org'

const parts = () => document.querySelectorAll('[data-live]')

/** Fetch every live part again, as when the server says that something changed. */
export function refresh () {
  parts().forEach((part) => htmx.trigger(part, 'refresh'))
}

// What is being typed is not swept away, whether it began before the request or while it was under way.
document.addEventListener('htmx:beforeRequest', (event) => {
  const part = event.detail.elt
  if (part.dataset.live === undefined || !busy(part)) return
  part.dataset.late = '1'
  event.preventDefault()
})

document.addEventListener('htmx:beforeSwap', (event) => {
  const part = event.detail.target
  if (part.dataset.live === undefined) return
  if (panesChanged(part, event.detail.xhr.getResponseHeader('X-Panes'))) event.detail.shouldSwap = false
  if (busy(part)) {
    part.dataset.late = '1'
    event.detail.shouldSwap = false
  }
  places.set(part, { stood: standing(part), before: newest(part) })
})

document.addEventListener('htmx:afterSwap', ({ detail: { target: part } }) => {
  const place = places.get(part)
  if (!place) return
  places.delete(part)
  stand(part, place.stood)
  if (place.before && newest(part) > place.before) announce('New message.')
  tellShown(part)
})

const places = new WeakMap()

// What scrolls is the part itself or the list in it. Whoever read the newest message keeps reading the newest;
// whoever scrolled up stays there.
const scrollers = (part) => [part, ...part.querySelectorAll('.moj-message-list')]

const atEnd = (one) => one.scrollHeight - one.scrollTop - one.clientHeight < 80

function standing (part) {
  return scrollers(part).map((one) => atEnd(one) ? Infinity : one.scrollTop)
}

function stand (part, stood) {
  scrollers(part).forEach((one, at) => { one.scrollTop = Math.min(stood[at] ?? Infinity, one.scrollHeight) })
}

// A keyboard that opens, or a phone that is turned, does not hide the newest message from whoever was reading it.
const reading = new WeakMap()
document.addEventListener('scroll', ({ target }) => {
  reading.set(target, !atEnd(target === document ? document.documentElement : target))
}, true)
addEventListener('resize', () => {
  for (const part of parts()) {
    for (const one of scrollers(part)) if (!reading.get(one)) one.scrollTop = one.scrollHeight
  }
  // Lying on its side a phone is too low for a list that scrolls by itself: there the page does.
  const newest = document.querySelector('.lanyard-chat__messages li:last-of-type')
  if (newest && !reading.get(document)) newest.scrollIntoView({ block: 'nearest' })
})

// A part in which somebody is typing or has opened something is left alone until they leave it.
function busy (part) {
  const inside = document.activeElement
  return part.contains(inside) && ['TEXTAREA', 'INPUT', 'SELECT'].includes(inside.tagName)
}

document.addEventListener('focusout', (event) => {
  const part = event.target.closest('[data-late]')
  if (part) { delete part.dataset.late; refresh() }
})

// Which consultations stand on the desk: when that changes the desk is laid out anew, unless somebody is typing.
function panesChanged (part, panes) {
  if (panes === null || part.dataset.panes === undefined || panes === part.dataset.panes) return false
  location.reload()
  return true
}

function newest (part) {
  const numbers = [...part.querySelectorAll('[data-number]')].map((one) => Number(one.dataset.number))
  return Math.max(0, ...numbers)
}

export function announce (text) {
  const place = document.querySelector('[data-announce]')
  if (place) { place.textContent = ''; setTimeout(() => { place.textContent = text }, 50) }
}

async function tellShown (scope) {
  if (document.visibilityState !== 'visible') return
  for (const list of scope.querySelectorAll('[data-unread]')) {
    const ids = list.dataset.unread
    if (!ids) continue
    const body = new URLSearchParams({ ids })
    try {
      const answer = await fetch(list.dataset.shown, { method: 'POST', body, headers: { 'X-Automatic': '1' } })
      if (answer.ok) list.dataset.unread = ''
    } catch { /* told again after the next refresh */ }
  }
}

document.addEventListener('htmx:sseOpen', () => connection(true))
document.addEventListener('htmx:sseError', () => connection(false))
document.addEventListener('htmx:sseClose', ({ detail }) => { if (detail.type === 'message') location.assign('/') })

let lost = false
function connection (there) {
  const strip = document.querySelector('[data-connection]')
  if (!strip) return
  if (!there) {
    lost = true
    strip.className = 'lanyard-connection lanyard-connection--lost'
    strip.textContent = 'No connection. What you write is kept here and sent when it is back.'
  } else if (lost) {
    lost = false
    strip.className = 'lanyard-connection lanyard-connection--back'
    strip.textContent = 'Connected again.'
    setTimeout(() => { strip.textContent = '' }, 3000)
    document.dispatchEvent(new Event('lanyard:back'))
    refresh()
  }
}

function countDown () {
  for (const one of document.querySelectorAll('[data-until]')) {
    one.dataset.skew ??= String(Date.now() / 1000 - Number(one.dataset.now))
    const left = Math.max(0, Math.round(Number(one.dataset.until) - (Date.now() / 1000 - Number(one.dataset.skew))))
    one.textContent = `${left} seconds to answer`
  }
}

document.addEventListener('visibilitychange', () => tellShown(document))
document.querySelectorAll('[data-live].lanyard-scroll').forEach((part) => stand(part, []))
tellShown(document)
countDown()
setInterval(countDown, 1000)
if ('serviceWorker' in navigator) navigator.serviceWorker.register('/service-worker.js')
