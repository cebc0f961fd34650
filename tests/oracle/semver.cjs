// Answers, a JSON text on each line, what npm's semver says.
// [range, versions] gets [validRange, satisfies of each, valid of each, compare of neighbours].
'use strict'
const { readFileSync } = require('node:fs')
const semver = require('node:module').createRequire(process.cwd() + '/')('semver')

const compare = (one, two) => (semver.valid(one) && semver.valid(two) ? semver.compare(one, two) : null)

const answers = readFileSync(0, 'utf8').split('\n').map((line) => {
  const [range, versions] = JSON.parse(line)
  return JSON.stringify([
    semver.validRange(range),
    versions.map((version) => semver.satisfies(version, range)),
    versions.map((version) => semver.valid(version)),
    versions.slice(1).map((version, i) => compare(versions[i], version)),
  ])
})
process.stdout.write(answers.join('\n') + '\n')
