// Tests: handshakes between Ferrule and noise-c, compiled to WebAssembly and installed from npm: two
// implementations that share no code. Both roles, with payloads, a transport message each way, and
// a message changed on its way.
//
//     node try.mjs NOISE_PEER FOLDER_WITH_NODE_MODULES
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import assert from "node:assert/strict";
import path from "node:path";

const [peerProgram, folder] = process.argv.slice(2);
const createNoise = createRequire(path.join(folder, "package.json"))("noise-c.wasm");
const PROLOGUE = Buffer.from("ferrule1 interop");
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const bytes = (text) => new Uint8Array(Buffer.from(text, "hex"));

// Our side: one line in, one line out.
class Ours {
    constructor(pattern, role, secret, remote) {
        const key = (k) => (k ? hex(k) : "-");
        this.process = spawn(peerProgram, [pattern, role, hex(PROLOGUE), key(secret), key(remote)],
            { stdio: ["pipe", "pipe", "inherit"] });
        this.lines = createInterface({ input: this.process.stdout })[Symbol.asyncIterator]();
    }
    async ask(line) {
        this.process.stdin.write(line + "\n");
        const { value, done } = await this.lines.next();
        assert.ok(!done, `noise_peer ended at: ${line.slice(0, 20)}`);
        return value;
    }
    end() {
        this.process.stdin.end();
    }
}

// Which statics a pattern uses, by role: does it have one, and is the other's known beforehand.
const NEEDS = {
    IK: { initiator: [true, true], responder: [true, false] },
    XX: { initiator: [true, false], responder: [true, false] },
    KK: { initiator: [true, true], responder: [true, true] },
    NN: { initiator: [false, false], responder: [false, false] },
    NK: { initiator: [false, true], responder: [true, false] },
    IX: { initiator: [true, false], responder: [true, false] },
};

function setUp(noise, pattern, ourRole) {
    const theirRole = ourRole === "initiator" ? "responder" : "initiator";
    const [ourSecret, ourPublic] = noise.CreateKeyPair(noise.constants.NOISE_DH_CURVE25519);
    const [theirSecret, theirPublic] = noise.CreateKeyPair(noise.constants.NOISE_DH_CURVE25519);
    const [weHave, weKnow] = NEEDS[pattern][ourRole];
    const [theyHave, theyKnow] = NEEDS[pattern][theirRole];
    const theirs = noise.HandshakeState(`Noise_${pattern}_25519_ChaChaPoly_SHA256`,
        noise.constants[`NOISE_ROLE_${theirRole.toUpperCase()}`]);
    theirs.Initialize(new Uint8Array(PROLOGUE), theyHave ? theirSecret : null,
        theyKnow ? ourPublic : null);
    const ours = new Ours(pattern, ourRole, weHave && ourSecret, weKnow && theirPublic);
    return { ours, theirs, theirPublic: theyHave ? theirPublic : null };
}

// Runs the messages; true when both came to the end. `spoil` is the number of one to change.
async function shake(noise, { ours, theirs }, weStart, spoil) {
    const { NOISE_ACTION_WRITE_MESSAGE: WRITE, NOISE_ACTION_READ_MESSAGE: READ } = noise.constants;
    let ourTurn = weStart;
    for (let number = 0; [WRITE, READ].includes(theirs.GetAction()); number++, ourTurn = !ourTurn) {
        const payload = Buffer.from(`payload ${number}`);
        if (ourTurn) {
            const message = bytes(await ours.ask(`write ${hex(payload)}`));
            message[message.length - 1] ^= number === spoil ? 1 : 0;
            try {
                assert.equal(hex(theirs.ReadMessage(message, true)), hex(payload));
            } catch (error) {
                assert.equal(number, spoil, error.message);
                return false;
            }
        } else {
            const message = theirs.WriteMessage(new Uint8Array(payload));
            message[message.length - 1] ^= number === spoil ? 1 : 0;
            const heard = await ours.ask(`read ${hex(message)}`);
            if (number === spoil && heard === "refused") {
                return false;
            }
            assert.equal(heard, hex(payload));
        }
    }
    return true;
}

async function whole(noise, pattern, ourRole) {
    const sides = setUp(noise, pattern, ourRole);
    const { ours, theirs, theirPublic } = sides;
    assert.ok(await shake(noise, sides, ourRole === "initiator", -1));
    assert.equal(await ours.ask("split"), hex(theirs.GetHandshakeHash()), "handshake hash");
    if (theirPublic) {
        assert.equal(await ours.ask("peer"), hex(theirPublic), "their static key");
    }
    const [send, receive] = theirs.Split();
    const empty = new Uint8Array(0);
    for (const text of ["from them", "again"].map((t) => Buffer.from(t))) {
        const sealed = send.EncryptWithAd(empty, new Uint8Array(text));
        assert.equal(await ours.ask(`open ${hex(sealed)}`), hex(text));
    }
    for (const text of ["from us", "again"].map((t) => Buffer.from(t))) {
        const sealed = bytes(await ours.ask(`seal ${hex(text)}`));
        assert.equal(hex(receive.DecryptWithAd(empty, sealed)), hex(text));
    }
    ours.end();
}

// The last message is sealed in every one of these patterns.
async function spoiled(noise, pattern, ourRole, messages) {
    const sides = setUp(noise, pattern, ourRole);
    assert.ok(!await shake(noise, sides, ourRole === "initiator", messages - 1));
    sides.ours.end();
}

createNoise(async (noise) => {
    let failed = 0;
    let passed = 0;
    for (const pattern of Object.keys(NEEDS)) {
        for (const role of ["initiator", "responder"]) {
            try {
                await whole(noise, pattern, role);
                await spoiled(noise, pattern, role, pattern === "XX" ? 3 : 2);
                console.log(`${pattern}, Ferrule as ${role}: ok`);
                passed++;
            } catch (error) {
                console.log(`${pattern}, Ferrule as ${role}: FAILED: ${error.message}`);
                failed++;
            }
        }
    }
    console.log(`noise-c: ${passed} passed, ${failed} failed`);
    process.exit(failed === 0 && passed === 12 ? 0 : 1);
});
