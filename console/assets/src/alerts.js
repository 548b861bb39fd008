// A sound, and a notice of the browser, when something new waits at the desk. Both say that, and nothing of what it is.
// Switched on by hand, in this browser only: browsers let a page sound or notify only after somebody pressed something.

const KEPT = 'lanyard-alerts'
const SEEN = 'lanyard-alerted'
const button = document.querySelector('[data-alerts]')

const on = () => localStorage.getItem(KEPT) === 'on'

/** What waits: offers, and the newest line of the other side in each pane. Numbers and random ids, no words. */
function waiting () {
  const offers = [...document.querySelectorAll('[data-offer]')].map((one) => one.dataset.offer)
  const lines = [...document.querySelectorAll('[data-pane]')].flatMap((pane) => {
    const last = [...pane.querySelectorAll('.moj-message-item--received[data-number]')].pop()
    return last ? [`${pane.dataset.pane}:${last.dataset.number}`] : []
  })
  return [...offers, ...lines]
}

function look () {
  const seen = new Set(JSON.parse(sessionStorage.getItem(SEEN) ?? '[]'))
  const now = waiting()
  sessionStorage.setItem(SEEN, JSON.stringify(now))
  if (on() && now.some((one) => !seen.has(one))) alert()
}

function alert () {
  sound()
  document.dispatchEvent(new CustomEvent('lanyard:alerted'))
  if (document.hidden && window.Notification?.permission === 'granted') {
    const notice = new Notification('Lanyard', { body: 'Something waits for you.', tag: 'lanyard', silent: true })
    notice.onclick = () => { window.focus(); notice.close() }
  }
}

let audio

/** Two short tones, made here: no file, no address. */
function sound () {
  audio ??= new AudioContext()
  for (const [at, pitch] of [[0, 660], [0.18, 880]]) {
    const tone = audio.createOscillator()
    const level = audio.createGain()
    tone.frequency.value = pitch
    level.gain.setValueAtTime(0.15, audio.currentTime + at)
    level.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + at + 0.16)
    tone.connect(level).connect(audio.destination)
    tone.start(audio.currentTime + at)
    tone.stop(audio.currentTime + at + 0.17)
  }
}

function label () {
  button.setAttribute('aria-pressed', String(on()))
}

if (button) {
  button.hidden = false
  label()
  button.addEventListener('click', () => {
    localStorage.setItem(KEPT, on() ? 'off' : 'on')
    label()
    if (!on()) return
    sound()
    if (window.Notification?.permission === 'default') Notification.requestPermission()
  })
  look()
  document.addEventListener('htmx:afterSettle', look)
}
