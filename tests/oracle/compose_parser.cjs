// Reads, on each line, a composition as balena does: {folder, files, env} gets {composition} or {error, message, service}.
// The reader is npm's @balena/compose-parser in the folder where this runs, with its Go program: `npm run build:go` makes
// it where Go is. npm has 0.2.6; to get 0.3.0, add cli.WithProfiles([]string{"*"}) to the options in its lib/main.go
// before; the other change of 0.3.0, the check of names of profiles, is below (C-41).
'use strict'
const load = require('node:module').createRequire(process.cwd() + '/')
const { parse } = load('@balena/compose-parser')
const lines = require('node:readline').createInterface({ input: process.stdin })

const PROFILE = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/
const OURS = Object.keys(process.env)

async function read ({ folder, files, env }) {
  process.chdir(folder) // where a relative path of a build context begins
  for (const name of OURS) delete process.env[name]
  Object.assign(process.env, env)
  try {
    const composition = await parse(files)
    for (const [service, { profiles = [] }] of Object.entries(composition.services)) {
      const bad = profiles.find((profile) => !PROFILE.test(profile))
      if (bad !== undefined) return { error: 'ServiceError', message: `"${bad}" is not a valid profile name`, service }
    }
    return { composition }
  } catch ({ name, message, serviceName }) {
    return { error: name, message, service: serviceName }
  } finally {
    for (const name of Object.keys(env)) delete process.env[name]
  }
}

async function main () {
  console.warn = () => {}
  for await (const line of lines) process.stdout.write(JSON.stringify(await read(JSON.parse(line))) + '\n')
}
main()
