// Live pages: the server says only that something changed; the changed parts are then fetched, keeping what the
// reader has half typed or opened, and the browser reports which messages are on the screen.

import htmx from 'htmx.org'

const SOON = 60 // ms: several changes at once are one refresh
let timer

export function refresh () {
  clearTimeout(timer)
  timer = setTimeout(() => document.querySelectorAll('[data-refresh]').forEach(fetchPart), SOON)
}

async function fetchPart (part) {
  if (busy(part)) { part.dataset.late = '1'; return }
  const stood = standing(part)
  const before = newest(part)
  let answer
  try {
    answer = await fetch(part.dataset.refresh, { headers: { 'X-Automatic': '1', 'HX-Request': 'true' } })
  } catch { return }
  if (answer.status === 401) { location.assign('/'); return }
  if (!answer.ok) return
  if (panesChanged(part, answer)) return
  const text = await answer.text()
  if (busy(part)) { part.dataset.late = '1'; return }
  part.innerHTML = text
  htmx.process(part)
  stand(part, stood)
  if (before && newest(part) > before) announce('New message.')
  tellShown(part)
}

// What scrolls is the part itself or the list in it. Whoever read the newest message keeps reading the newest;
// whoever scrolled up stays there.
const scrollers = (part) => [part, ...part.querySelectorAll('.moj-message-list')]

function standing (part) {
  return scrollers(part).map((one) => {
    const end = one.scrollHeight - one.scrollTop - one.clientHeight < 80
    return end ? Infinity : one.scrollTop
  })
}

function stand (part, stood) {
  scrollers(part).forEach((one, at) => { one.scrollTop = Math.min(stood[at] ?? Infinity, one.scrollHeight) })
}

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
function panesChanged (part, answer) {
  const panes = answer.headers.get('X-Panes')
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

function listen () {
  const url = document.body.dataset.live
  if (!url) return
  const events = new EventSource(url)
  events.addEventListener('changed', refresh)
  events.addEventListener('ended', () => { events.close(); location.assign('/') })
  events.addEventListener('open', () => connection(true))
  events.addEventListener('error', () => connection(false))
}

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
document.querySelectorAll('[data-refresh].lanyard-scroll').forEach((part) => stand(part, []))
tellShown(document)
listen()
countDown()
setInterval(countDown, 1000)
if ('serviceWorker' in navigator) navigator.serviceWorker.register('/service-worker.js')
