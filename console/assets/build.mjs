// Builds console/assets/built, all that the pages load: `make assets`. Nothing outside src/ and node_modules/ goes in.
//
//   lanyard.css  lanyard.js  service-worker.js (where src/ has one)  icons  app.webmanifest
//   manifest.json    name of each file -> the start of its SHA-256, for addresses that change when the file does
//   THIRD-PARTY.txt  whose work is inside, and under what licence
//
// The folder is made beside the old one and put in its place at the end: a build that fails changes nothing.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Resvg, initWasm } from '@resvg/resvg-wasm'
import { build as bundle } from 'esbuild'
import * as sass from 'sass'

import { tooFaint } from './contrast.mjs'

const here = import.meta.dirname
const source = join(here, 'src')
const made = join(here, 'built.new')
const built = join(here, 'built')

// The oldest browsers we promise: what a force's phones and a service's office machines still run.
const browsers = ['chrome109', 'firefox115', 'safari16']

// Two packages name the MIT licence and ship no copy of it; these are the lines of the copies in their repositories.
const copyright = {
  '@ministryofjustice/frontend': 'Copyright (c) 2019 Ministry of Justice',
  'govuk-frontend': 'Copyright (C) 2017 Crown Copyright (Government Digital Service)',
}

const put = (name, content) => writeFileSync(join(made, name), content)
const text = (name) => readFileSync(join(source, name), 'utf8')

function styles () {
  const { css } = sass.compile(join(source, 'lanyard.scss'), {
    loadPaths: [here, join(here, 'node_modules')],
    logger: { warn: (message, { stack }) => { if (!stack?.startsWith('node_modules/')) console.warn(message, stack) } },
    quietDeps: true,
    style: 'compressed',
  })
  // MoJ's timeline keeps this for old pages and it asks for a picture that we do not ship.
  const ours = css.replace(/\.moj-timeline__document-link[^{}]*\{[^{}]*\}/g, '')
  for (const banned of ['@font-face', 'GDS Transport', 'url(']) {
    if (ours.includes(banned)) throw new Error(`lanyard.css has ${banned}: no licensed font, and no file from elsewhere`)
  }
  put('lanyard.css', ours)
}

async function script (name, entry, define = {}) {
  const { metafile } = await bundle({
    absWorkingDir: here,
    bundle: true,
    define,
    entryPoints: [join(source, entry)],
    format: 'iife',
    legalComments: 'none', // THIRD-PARTY.txt says it all, once
    logLevel: 'warning',
    logOverride: { 'direct-eval': 'silent' }, // htmx's; switched off in app.js and by the content security policy
    metafile: true,
    minify: true,
    outfile: join(made, name),
    target: browsers,
  })
  return Object.keys(metafile.inputs)
}

async function icons () {
  const svg = text('icon.svg')
  await initWasm(readFileSync(createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm')))
  put('icon.svg', svg)
  put('app.webmanifest', text('app.webmanifest'))
  for (const [name, width] of [['icon-32', 32], ['icon-180', 180], ['icon-192', 192], ['icon-512', 512]]) {
    put(`${name}.png`, new Resvg(svg, { fitTo: { mode: 'width', value: width } }).render().asPng())
  }
}

function hashes () {
  const of = (name) => createHash('sha256').update(readFileSync(join(made, name))).digest('hex').slice(0, 16)
  return Object.fromEntries(readdirSync(made).sort().map((name) => [name, of(name)]))
}

function licences (inputs) {
  // The two design systems are in the styles whether or not a script of theirs is in use.
  const names = new Set(Object.keys(copyright))
  for (const input of inputs) {
    const [, name] = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)/) ?? []
    if (name) names.add(name)
  }
  const parts = [...names].sort().map((name) => {
    const folder = join(here, 'node_modules', name)
    const { author, license, repository, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    const whose = typeof author === 'string' ? author : author?.name
    if (!file && !(license === 'MIT' && copyright[name])) throw new Error(`${name} ships no licence: add its words`)
    const words = file ? readFileSync(join(folder, file), 'utf8') : text('mit.txt').replace('COPYRIGHT', copyright[name])
    return [`${name} ${version}`, whose, repository?.url, '', words.trim()].filter((line) => line !== undefined).join('\n')
  })
  return `Work of others inside lanyard.css and lanyard.js\n\n${parts.join(`\n\n${'-'.repeat(72)}\n\n`)}\n`
}

rmSync(made, { force: true, recursive: true })
mkdirSync(made)
const faint = tooFaint(text('styles/_theme.scss'))
if (faint.length) throw new Error(`not enough contrast:\n${faint.join('\n')}`)
styles()
await icons()
const inputs = await script('lanyard.js', 'app.js')
if (existsSync(join(source, 'service-worker.js'))) {
  // `BUILT` there is the same map as manifest.json, less the worker itself.
  await script('service-worker.js', 'service-worker.js', { BUILT: JSON.stringify(hashes()) })
}
put('THIRD-PARTY.txt', licences(inputs))
put('manifest.json', JSON.stringify(hashes(), null, 2) + '\n')
rmSync(built, { force: true, recursive: true })
renameSync(made, built)
