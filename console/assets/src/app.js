// What every page loads. The libraries are started here; each module of our own starts itself when it is imported.

import { Alert } from '@ministryofjustice/frontend'
import { Button, Checkboxes, ErrorSummary, NotificationBanner, Radios, SkipLink, Tabs, createAll } from 'govuk-frontend'
import htmx from 'htmx.org'
import 'htmx-ext-sse'

import './alerts.js'
import './live.js'
import './composer.js'
import './mini-app.js'
import './wording.js'
import './passkeys.js'

// Set before htmx starts, which it does when the document is ready.
Object.assign(htmx.config, {
  // Attributes are never run as code: no hx-on, no js: values, no [filters] in hx-trigger. Our content security
  // policy forbids it as well.
  allowEval: false,
  allowScriptTags: false,
  // Would be an inline style; the rules are in styles/_page.scss.
  includeIndicatorStyles: false,
  selfRequestsOnly: true,
  // htmx would keep earlier pages, with the words in them, in the browser's storage.
  historyCacheSize: 0,
  refreshOnHistoryMiss: true,
})

// GOV.UK Frontend looks for this class; its template sets it in an inline script, which our policy forbids.
document.body.classList.add('js-enabled', 'govuk-frontend-supported')

const components = [Alert, Button, Checkboxes, ErrorSummary, NotificationBanner, Radios, SkipLink, Tabs]

/** Starts the components in one part of the page; those that are started already are left as they are. */
function start (scope) {
  for (const component of components) {
    createAll(component, undefined, { scope, onError: leave })
  }
}

function leave (error) {
  // A part that htmx brings may stand inside one that was started before.
  if (error.name !== 'InitError') console.error(error)
}

start(document)
// The part that arrived, by a request or by an event.
htmx.onLoad((part) => { if (part !== document.body) start(part) })
