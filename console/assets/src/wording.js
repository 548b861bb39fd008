// An IDVA's own wording: a tap puts it where the cursor is, to be read and changed before it is sent. Without this
// script the page comes back with it in the box.

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-wording]')
  if (!button) return
  const box = document.getElementById(button.dataset.wording)
  if (!box || box.readOnly) return
  event.preventDefault()
  const before = box.value.slice(0, box.selectionStart)
  const gap = before && !/\s$/.test(before) ? ' ' : ''
  box.setRangeText(gap + button.textContent.trim(), box.selectionStart, box.selectionEnd, 'end')
  box.dispatchEvent(new Event('input', { bubbles: true }))
  box.focus()
})
