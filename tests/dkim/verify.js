// Verifies messages with mailauth, which asks the name server at 127.0.0.1.
//
//     verify.js MODULES PORT COUNT FILE...
//
// Each file is a message; each must have COUNT signatures that pass.
'use strict';
const fs = require('fs');
const path = require('path');
const {Resolver} = require('dns').promises;

const [modules, port, wanted, ...files] = process.argv.slice(2);
const {dkimVerify} = require(
    path.join(modules, 'mailauth', 'lib', 'dkim', 'verify'));
const dns = new Resolver();
dns.setServers(['127.0.0.1:' + port]);

async function main() {
    for (const file of files) {
        const answer = await dkimVerify(fs.readFileSync(file),
            {resolver: (name, type) => dns.resolve(name, type)});
        const results = answer.results.filter(r => r.signingDomain);
        const good = results.filter(r => r.status.result === 'pass');
        if (results.length !== Number(wanted) ||
            good.length !== results.length) {
            console.error(file, JSON.stringify(answer.results, null, 1));
            process.exit(1);
        }
    }
    console.log(files.length);
}
main().catch(e => {
    console.error(e);
    process.exit(1);
});
