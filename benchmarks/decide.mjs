// The same work as decide.py, by @balena/contrato: a device's facts against the contracts of five services.
// The first line of standard input is {contracts, devices} as JSON. Each further line asks for one round: `once` with
// contracts built before the clock starts, `anew` with contracts built for each device. The answer to a round is its
// rate and, for each device, which services are met.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(process.argv[2]); // the folder that npm installed into
const { Contract } = require('@balena/contrato');

const universe = (facts) => {
  const found = new Contract({ type: 'meta.universe' });
  found.addChildren(facts.map((fact) => new Contract(fact)));
  return found;
};

const measure = (contracts, make, devices) => {
  const met = [];
  const start = process.hrtime.bigint();
  for (const facts of devices) {
    const device = universe(facts);
    let answer = '';
    for (let i = 0; i < contracts.length; i++) {
      answer += device.satisfiesChildContract(make(i)) ? '1' : '0';
    }
    met.push(answer);
  }
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  return { rate: devices.length / seconds, met };
};

let contracts, devices, built;
for await (const line of createInterface({ input: process.stdin })) {
  if (!contracts) {
    ({ contracts, devices } = JSON.parse(line));
    built = contracts.map((each) => new Contract(structuredClone(each))); // a Contract keeps the object that it is given
    continue;
  }
  const some = devices.slice(0, Math.ceil(devices.length / 10)); // `anew` is many times as slow: a tenth is enough
  const found =
    line === 'once' ? measure(contracts, (i) => built[i], devices) : measure(contracts, (i) => new Contract(contracts[i]), some);
  console.log(JSON.stringify(found));
}
