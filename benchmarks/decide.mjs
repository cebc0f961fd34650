// The same work as decide.py, by @balena/contrato: a device's facts against the contracts of five services.
// Reads {contracts, devices} as JSON from standard input; writes rates and, for each device, which services are met.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(process.argv[2]); // the folder that npm installed into
const { Contract } = require('@balena/contrato');
const { contracts, devices, rounds } = JSON.parse(readFileSync(0, 'utf8'));

const universe = (facts) => {
  const found = new Contract({ type: 'meta.universe' });
  found.addChildren(facts.map((fact) => new Contract(fact)));
  return found;
};

// `make` gives the contract of a service: built once before the clock starts, or anew for each device.
const measure = (make, some) => {
  const met = [];
  const start = process.hrtime.bigint();
  for (const facts of some) {
    const device = universe(facts);
    let answer = '';
    for (let i = 0; i < contracts.length; i++) {
      answer += device.satisfiesChildContract(make(i)) ? '1' : '0';
    }
    met.push(answer);
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return { rate: some.length / seconds, met };
};

const copy = (value) => JSON.parse(JSON.stringify(value)); // a Contract keeps the object that it is given
const built = contracts.map((each) => new Contract(copy(each)));
const all = Array.from({ length: rounds }, () => measure((i) => built[i], devices));
const sample = devices.slice(0, Math.ceil(devices.length / 10)); // four times as slow: a tenth of the devices is enough
const anew = measure((i) => new Contract(contracts[i]), sample);
console.log(JSON.stringify({ once: Math.max(...all.map((each) => each.rate)), anew: anew.rate, met: all[0].met }));
