// Runs a Python program in Pyodide with the kit and pure-Python packages mounted from this machine.
// usage: node run.mjs PYODIDE_FOLDER SITE_PACKAGES PROJECT PROGRAM
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [folder, packages, project, program] = process.argv.slice(2);
const { loadPyodide } = await import(pathToFileURL(join(folder, "pyodide.mjs")));
const pyodide = await loadPyodide();
for (const [place, source] of [["/packages", packages], ["/project", project]]) {
  pyodide.FS.mkdirTree(place);
  pyodide.FS.mount(pyodide.FS.filesystems.NODEFS, { root: source }, place);
}
pyodide.runPython(`
import sys
sys.dont_write_bytecode = True
sys.path[:0] = ["/project", "/project/notebooks", "/packages"]
`);
pyodide.runPython(readFileSync(program, "utf8"));
