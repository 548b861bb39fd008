// Measures the colours of styles/_theme.scss as WCAG 2.2 does (relative luminance; 1.4.3 text, 1.4.11 marks).

const text = 4.5
const mark = 3

// What stands on what. A property that a theme does not set has GOV.UK Frontend's own colour.
const pairs = [
  ['govuk-text', 'govuk-body-background', text],
  ['govuk-secondary-text', 'govuk-body-background', text],
  ['govuk-error', 'govuk-body-background', text],
  ['govuk-success', 'govuk-body-background', text],
  ['govuk-brand', 'govuk-body-background', text],
  ['govuk-link', 'govuk-body-background', text],
  ['govuk-link', 'lanyard-soft', text],
  ['govuk-link-visited', 'govuk-body-background', text],
  ['govuk-link-hover', 'govuk-body-background', text],
  ['govuk-inverse-text', 'govuk-brand', text],
  ['govuk-inverse-text', 'govuk-success', text],
  ['govuk-inverse-text', 'govuk-text', text],
  ['govuk-text', 'lanyard-soft', text],
  ['govuk-text', 'govuk-surface-background', text],
  ['govuk-text', 'govuk-border', text],
  ['govuk-input-border', 'govuk-body-background', mark],
  ['govuk-focus-text', 'govuk-focus', text],
  ['govuk-error', 'lanyard-sent', text],
  ['govuk-error', 'lanyard-soft', mark],
  ['lanyard-bar-text', 'lanyard-bar', text],
  ['lanyard-sent-text', 'lanyard-sent', text],
  ['lanyard-received-text', 'lanyard-received', text],
  ['lanyard-advice-text', 'lanyard-advice', text],
  ['lanyard-advice-edge', 'govuk-body-background', mark],
  ['lanyard-urgent-text', 'lanyard-urgent', text],
  ['lanyard-urgent', 'lanyard-soft', mark],
  ['lanyard-practice-text', 'lanyard-practice', text],
  ['lanyard-quiet', 'govuk-body-background', text],
  ['lanyard-quiet', 'lanyard-soft', text],
  ...['blue', 'green', 'plum', 'earth', 'rose', 'slate'].map((name) => ['lanyard-mark-text', `lanyard-mark-${name}`, text]),
  ['lanyard-warning', 'govuk-body-background', text],
]

const govuk = {
  'govuk-text': '#0b0c0c',
  'govuk-inverse-text': '#ffffff',
  'govuk-body-background': '#ffffff',
  'govuk-secondary-text': '#484949',
  'govuk-success': '#0f7a52',
  'govuk-input-border': '#0b0c0c',
  'govuk-focus': '#ffdd00',
  'govuk-focus-text': '#0b0c0c',
  'govuk-link': '#1a65a6',
  'govuk-link-visited': '#54319f',
  'govuk-link-hover': '#0f385c',
}

function colours (scss) {
  return Object.fromEntries([...scss.matchAll(/--([a-z-]+?)(?:-colour)?: (#[0-9a-f]{6});/g)].map(([, name, hex]) => [name, hex]))
}

function luminance (hex) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}

function contrast (one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

/** Lists every pair that falls short, in the light theme and in the dark. */
export function tooFaint (scss) {
  const [first, second] = scss.split('@media screen and (prefers-color-scheme: dark)')
  const light = { ...govuk, ...colours(first) }
  const dark = { ...light, ...colours(second) }
  return [['light', light], ['dark', dark]].flatMap(([theme, colour]) =>
    pairs.flatMap(([front, back, least]) => {
      const is = contrast(colour[front], colour[back])
      return is < least ? [`${theme}: ${front} on ${back} is ${is.toFixed(2)}:1, ${least}:1 is needed`] : []
    }))
}
