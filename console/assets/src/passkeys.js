// Passkeys: asks the browser for one and sends its answer as an ordinary form. What to ask comes from the server, and
// the server alone decides. Without this file the page says that passkeys need it and names the other ways.

const WAITING = 'Your device asks you now.'
const CANCELLED = 'No passkey was used. Try again, or use another way.'
const KNOWN = 'This device has one of your passkeys already.'
const AWAY = 'That could not be begun. Load this page again; if it goes on, use another way.'

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (one) => one.charCodeAt(0))
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')

// `parseCreationOptionsFromJSON` and `toJSON` are newer than the browsers we promise.

async function create (asked) {
  const publicKey = {
    ...asked,
    challenge: toBytes(asked.challenge),
    user: { ...asked.user, id: toBytes(asked.user.id) },
    excludeCredentials: asked.excludeCredentials.map((one) => ({ ...one, id: toBytes(one.id) })),
  }
  const made = await navigator.credentials.create({ publicKey })
  return said(made, {
    attestationObject: toText(made.response.attestationObject),
    transports: made.response.getTransports?.() ?? [],
  })
}

async function get (asked) {
  const found = await navigator.credentials.get({
    publicKey: { ...asked, challenge: toBytes(asked.challenge), allowCredentials: [] },
  })
  const { authenticatorData, signature, userHandle } = found.response
  return said(found, {
    authenticatorData: toText(authenticatorData),
    signature: toText(signature),
    userHandle: userHandle && toText(userHandle),
  })
}

function said (credential, response) {
  return {
    id: credential.id,
    rawId: toText(credential.rawId),
    type: credential.type,
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    response: { clientDataJSON: toText(credential.response.clientDataJSON), ...response },
  }
}

async function ask (part, form, state) {
  state.textContent = WAITING
  let asked
  try {
    const answer = await fetch(part.dataset.options, { method: 'POST' })
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status))
    asked = await answer.json()
  } catch {
    state.textContent = AWAY
    return
  }
  try {
    form.elements.answer.value = JSON.stringify(await (part.dataset.passkey === 'create' ? create : get)(asked))
  } catch (error) {
    state.textContent = error.name === 'InvalidStateError' ? KNOWN : CANCELLED
    return
  }
  form.submit() // past the listener below
}

for (const part of window.PublicKeyCredential ? document.querySelectorAll('[data-passkey]') : []) {
  const form = part.querySelector('form')
  const state = part.querySelector('[data-passkey-state]')
  const button = form.querySelector('button')
  part.querySelector('[data-passkey-without]').hidden = true
  form.hidden = false
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    if (button.getAttribute('aria-disabled') === 'true') return
    button.setAttribute('aria-disabled', 'true') // `disabled` would lose the keyboard's place
    await ask(part, form, state)
    button.removeAttribute('aria-disabled')
  })
}
