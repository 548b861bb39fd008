// Opened inside Telegram: its client puts what it signed behind the # of our address. It is taken out of the address
// before anything else, and posted once. telegram-web-app.js is not loaded: no file from elsewhere.

const form = document.querySelector('form[data-mini-app]')

if (form) {
  const signed = new URLSearchParams(location.hash.slice(1)).get('tgWebAppData')
  history.replaceState(null, '', location.pathname)
  if (signed) {
    form.elements.init_data.value = signed
    form.submit()
  }
}
