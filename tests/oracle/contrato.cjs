// Decides, on each line, what a device makes of a release: facts, contracts and outcome by the rules of
// `spec/supervisor.md`, sections 1 to 4, and every requirement matched by npm's @balena/contrato.
// {device, services} gets {facts, invalid, outcome, refused_by, unmet, dropped, run}.
'use strict'
const { readFileSync } = require('node:fs')
const load = require('node:module').createRequire(process.cwd() + '/')
const { Contract, Universe } = load('@balena/contrato')
const semver = load('semver')

const PREFIX = 'io.balena.features.requires.'
const LABELS = {
  // suffix: the atom of a value, the check of a value, the oldest supervisor (S-13, S-71)
  'sw.supervisor': [(version) => ({ type: 'sw.supervisor', version }), 'range', '10.16.17'],
  'sw.l4t': [(version) => ({ type: 'sw.l4t', version }), 'range', '10.16.17'],
  'hw.device-type': [(slug) => ({ type: 'hw.device-type', slug }), 'any', '11.1.0'],
  'arch.sw': [(slug) => ({ type: 'arch.sw', slug }), 'arch', '14.10.11'],
  'sw.balena-os': [(version) => ({ type: 'sw.os', slug: 'balena-os', version }), 'range', '17.4.0'],
  'sw.linux': [(version) => ({ type: 'sw.kernel', slug: 'linux', version }), 'range', '17.4.0'],
}
const TYPES = ['sw.supervisor', 'sw.l4t', 'sw.os', 'sw.kernel', 'hw.device-type', 'arch.sw']
const CHECKS = {
  any: () => true,
  arch: (value) => ['aarch64', 'rpi', 'amd64', 'armv7hf', 'i386'].includes(value),
  range: (value) => semver.validRange(value) !== null,
}

function known (labels) {
  return Object.entries(labels).flatMap(([key, value]) => {
    const label = key.startsWith(PREFIX) && LABELS[key.slice(PREFIX.length)]
    return label ? [{ key, value, atom: label[0](value), check: CHECKS[label[1]], minimum: label[2] }] : []
  })
}

// S-2 to S-9
function facts ({ os_release, uname_r, uname_s, type, arch, supervisor }) {
  const found = [
    { type: 'sw.supervisor', version: supervisor },
    { type: 'sw.application', slug: 'balena-supervisor', version: supervisor },
    { type: 'hw.device-type', slug: type },
    { type: 'arch.sw', slug: arch },
  ]
  const os = {}
  for (const line of (os_release ?? '').split('\n')) {
    const at = line.includes('=') ? line.indexOf('=') : line.length
    const value = line.slice(at + 1).trim()
    os[line.slice(0, at).trim()] = /^".+"$/.test(value) ? value.slice(1, -1) : value
  }
  if (os.ID && os.VERSION) found.push({ type: 'sw.os', slug: os.ID, version: os.VERSION })
  const kernel = /^\d+\.\d+\.\d+/.exec(uname_r ?? '')
  if (kernel) found.push({ type: 'sw.kernel', slug: (uname_s ?? '').toLowerCase(), version: kernel[0] })
  const marks = [...(uname_r ?? '').matchAll(/-l4t-r(\d+)\.(\d+)(?:\.(\d+))?/g)]
  if (marks.length > 0) {
    const [, major, minor, patch = '0'] = marks[marks.length - 1]
    found.push({ type: 'sw.l4t', version: `${major}.${minor}.${patch}` })
  }
  return found
}

// S-20, S-21
function fromLabels (name, labels) {
  const atoms = known(labels).map(({ atom }) => atom)
  const grouped = ['sw.os', 'sw.kernel']
  const groups = grouped.map((type) => ({ or: atoms.filter((atom) => atom.type === type) }))
  const requires = [...atoms.filter(({ type }) => !grouped.includes(type)), ...groups.filter(({ or }) => or.length > 0)]
  return requires.length > 0 ? { type: 'sw.container', slug: `contract-for-${name}`, requires } : null
}

// S-26 to S-35
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value)
const isText = (value) => value === undefined || value === null || typeof value === 'string'

function atom (raw) {
  if (!isObject(raw) || typeof raw.type !== 'string' || !isText(raw.slug) || !isText(raw.version)) throw new Error('malformed contract')
  if ('data' in raw && !isObject(raw.data)) throw new Error('malformed contract')
  const kept = { type: raw.type }
  for (const key of ['slug', 'version', 'data']) if (raw[key] !== undefined && raw[key] !== null) kept[key] = raw[key]
  return kept
}

function read (raw) {
  if (!isObject(raw) || !isText(raw.type) || !isText(raw.slug)) throw new Error('malformed contract')
  if (raw.requires !== undefined && raw.requires !== null && !Array.isArray(raw.requires)) throw new Error('malformed contract')
  const requires = (raw.requires ?? []).map((entry) => {
    if (isObject(entry) && 'type' in entry) return atom(entry)
    if (!isObject(entry) || !Array.isArray(entry.or)) throw new Error('malformed contract')
    return { or: entry.or.map(atom) }
  })
  for (const { type } of requires.flatMap((entry) => entry.or ?? [entry])) {
    if (!TYPES.includes(type)) throw new Error('unknown requirement type')
  }
  const contract = { type: raw.type ?? 'sw.container', requires }
  if (typeof raw.slug === 'string') contract.slug = raw.slug
  if (raw.children) contract.children = raw.children
  return contract
}

// S-51 to S-55, S-71
function decide ({ device, services }) {
  const have = facts(device)
  const answer = { facts: have, invalid: [], outcome: '', refused_by: null, unmet: [], dropped: [], run: [] }
  const labels = services.flatMap(({ labels }) => known(labels))
  answer.invalid = labels.filter(({ check, value }) => !check(value)).map(({ key, value }) => [key, value])
  const release = semver.coerce(device.supervisor).version
  if (labels.some(({ minimum }) => semver.lt(release, minimum))) return { ...answer, outcome: 'refused', refused_by: ['', 'too old'] }

  const universe = new Universe()
  universe.addChildren(have.map((fact) => new Contract(fact)))
  for (const { name, labels, contract: given } of services) {
    let contract = given === undefined ? fromLabels(name, labels) : given
    if (contract !== null) {
      try {
        contract = read(contract)
      } catch ({ message }) {
        return { ...answer, outcome: 'refused', refused_by: [name, message], unmet: [], dropped: [], run: [] }
      }
    }
    const met = contract === null || universe.satisfiesChildContract(new Contract(contract))
    const optional = ['1', 'true', 'on'].includes((labels['io.balena.features.optional'] ?? '').toLowerCase())
    if (met) answer.run.push(name)
    else answer.unmet.push(name)
    if (!met && optional) answer.dropped.push(name)
  }
  const accepted = answer.unmet.length === answer.dropped.length
  answer.outcome = !accepted ? 'rejected' : answer.dropped.length > 0 ? 'partial' : 'deployed'
  return accepted ? answer : { ...answer, run: [] }
}

const answers = readFileSync(0, 'utf8').split('\n').map((line) => JSON.stringify(decide(JSON.parse(line))))
process.stdout.write(answers.join('\n') + '\n')
