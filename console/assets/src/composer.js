// Writing: an unsent line is kept when the connection drops, shown as not sent, and sent once: every attempt carries
// the same id, and the server takes an id only once. Words stay in this tab's session storage, and go when sent.

import { announce, refresh } from './live.js'

const AGAIN = [1000, 2000, 4000, 8000]
const touch = matchMedia('(pointer: coarse)').matches

for (const form of document.querySelectorAll('[data-composer]')) start(form)
for (const form of document.querySelectorAll('[data-draft]')) keepDraft(form)

function start (form) {
  const words = form.elements.text
  const key = `lanyard:${form.dataset.composer}`
  const kept = JSON.parse(sessionStorage.getItem(key) ?? 'null')
  if (kept) {
    words.value = kept.text
    form.elements.client_id.value = kept.id
    if (kept.sending) send(form, key, 0)
  }
  words.addEventListener('input', () => keep(form, key, false))
  words.addEventListener('keydown', (event) => {
    const plainEnter = event.key === 'Enter' && !event.shiftKey && !event.isComposing && !touch
    if (plainEnter || (event.key === 'Enter' && (event.ctrlKey || event.metaKey))) {
      event.preventDefault()
      form.requestSubmit()
    }
  })
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    if (words.value.trim() && !form.dataset.sending) send(form, key, 0)
  })
  document.addEventListener('lanyard:back', () => { if (form.dataset.sending) send(form, key, 0) })
}

function keep (form, key, sending) {
  const kept = { text: form.elements.text.value, id: form.elements.client_id.value, sending }
  if (kept.text) sessionStorage.setItem(key, JSON.stringify(kept))
  else sessionStorage.removeItem(key)
}

async function send (form, key, attempt) {
  clearTimeout(form.retry)
  form.dataset.sending = '1'
  form.elements.text.readOnly = true
  keep(form, key, true)
  let answer
  try {
    const body = new URLSearchParams(new FormData(form))
    answer = await fetch(form.action, { method: 'POST', body, headers: { 'HX-Request': 'true' } })
  } catch { answer = null }
  if (answer && answer.status === 401) { location.assign('/'); return }
  if (!answer || answer.status >= 500) {
    note(form, 'Not sent yet. Trying again.')
    form.retry = setTimeout(() => send(form, key, attempt + 1), AGAIN[Math.min(attempt, AGAIN.length - 1)])
    return
  }
  delete form.dataset.sending
  form.elements.text.readOnly = false
  if (!answer.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
    note(form, `Not sent. ${page.querySelector('[data-refusal]')?.textContent ?? ''}`)
    keep(form, key, false)
    return
  }
  sessionStorage.removeItem(key)
  form.elements.text.value = ''
  form.elements.client_id.value = crypto.randomUUID ? crypto.randomUUID() : String(Math.random()).slice(2)
  note(form, '')
  const to = answer.headers.get('X-Goes-To')
  if (form.dataset.composer === 'new' && to) { location.assign(to); return }
  announce('Sent.')
  form.elements.text.focus()
  refresh()
}

function note (form, text) {
  const place = form.querySelector('[data-note]')
  place.hidden = !text
  place.textContent = text
}

function keepDraft (form) {
  const key = `lanyard:${form.dataset.draft}`
  const kept = JSON.parse(sessionStorage.getItem(key) ?? '{}')
  for (const [name, value] of Object.entries(kept)) {
    if (form.elements[name]) { form.elements[name].value = value; form.closest('details').open = true }
  }
  form.addEventListener('input', () => sessionStorage.setItem(key, JSON.stringify(Object.fromEntries(new FormData(form)))))
  form.addEventListener('submit', () => sessionStorage.removeItem(key))
}
