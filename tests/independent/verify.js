// Checks Merkle proofs with @transmute/rfc9162 only. Reads a JSON array of proofs, in hex, from stdin,
// and writes an array of true and false to stdout.
//
//   {"entry", "index", "size", "root", "hashes"}              inclusion
//   {"size", "root", "new_size", "new_root", "hashes"}        consistency
const { createRequire } = require("node:module");
const { readFileSync } = require("node:fs");

// The caller has installed it in the working directory.
const { RFC9162 } = createRequire(process.cwd() + "/")("@transmute/rfc9162");

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));

async function accepts(given) {
  const path = given.hashes.map(bytes);
  if ("entry" in given) {
    return RFC9162.verifyInclusionProof(bytes(given.root), await RFC9162.leaf(bytes(given.entry)), {
      log_id: "",
      tree_size: given.size,
      leaf_index: given.index,
      inclusion_path: path,
    });
  }
  return RFC9162.verifyConsistencyProof(bytes(given.root), bytes(given.new_root), {
    log_id: "",
    tree_size_1: given.size,
    tree_size_2: given.new_size,
    consistency_path: path,
  });
}

async function main() {
  const answers = [];
  for (const given of JSON.parse(readFileSync(0, "utf8"))) {
    answers.push(await accepts(given));
  }
  console.log(JSON.stringify(answers));
}

main();
