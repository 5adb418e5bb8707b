// Checks the proofs of a ledger with golang.org/x/mod/sumdb only: note and tlog.
//
//	verify record VKEY PROOF ENTRY          a .tlog-proof
//	verify tree   VKEY OLD NEW [HASH ...]   two checkpoints, and a consistency proof in base64
//	verify tiles  VKEY DIR                  an exported log, leaf by leaf
package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func read(path string) []byte {
	data, err := os.ReadFile(path)
	check(err)
	return data
}

func hash(text string) tlog.Hash {
	data, err := base64.StdEncoding.Strict().DecodeString(text)
	check(err)
	if len(data) != tlog.HashSize {
		check(fmt.Errorf("a hash of %d bytes", len(data)))
	}
	var found tlog.Hash
	copy(found[:], data)
	return found
}

// signed verifies a checkpoint's signature and returns its tree. (tlog.ParseTree accepts the origin of
// one log only.)
func signed(vkey string, data []byte) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	check(err)
	opened, err := note.Open(data, note.VerifierList(verifier))
	check(err)
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		check(fmt.Errorf("not a checkpoint of %s", verifier.Name()))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	check(err)
	return tlog.Tree{N: size, Hash: hash(lines[2])}
}

func record(vkey, proof, entry string) {
	head, checkpoint, found := bytes.Cut(read(proof), []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" {
		check(fmt.Errorf("not a tlog-proof"))
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	check(err)
	var hashes tlog.RecordProof
	for _, line := range lines[2:] {
		hashes = append(hashes, hash(line))
	}
	tree := signed(vkey, checkpoint)
	check(tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash(read(entry))))
}

func tree(vkey, old, new string, texts []string) {
	var hashes tlog.TreeProof
	for _, text := range texts {
		hashes = append(hashes, hash(text))
	}
	before, after := signed(vkey, read(old)), signed(vkey, read(new))
	check(tlog.CheckTree(hashes, after.N, after.Hash, before.N, before.Hash))
}

type folder string

func (folder) Height() int { return 8 }

// ReadTiles reads tile/L/N; Go's own layout has tile/8/L/N.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (folder) SaveTiles([]tlog.Tile, [][]byte) {}

func tiles(vkey, dir string) {
	tree := signed(vkey, read(filepath.Join(dir, "checkpoint")))
	reader := tlog.TileHashReader(tree, folder(dir))
	for first := int64(0); first < tree.N; first += 256 {
		count := min(256, tree.N-first)
		path := tlog.Tile{H: 8, L: -1, N: first / 256, W: int(count)}.Path()
		bundle := read(filepath.Join(dir, strings.Replace(path, "tile/8/data/", "tile/entries/", 1)))
		for i := int64(0); i < count; i++ {
			length := int(bundle[0])<<8 | int(bundle[1])
			leaf := tlog.RecordHash(bundle[2 : 2+length])
			bundle = bundle[2+length:]
			stored, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, first+i)})
			check(err)
			if stored[0] != leaf {
				check(fmt.Errorf("entry %d is not leaf %d", first+i, first+i))
			}
		}
		if len(bundle) > 0 {
			check(fmt.Errorf("bytes follow the entries of %s", path))
		}
	}
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func main() {
	switch arguments := os.Args[2:]; os.Args[1] {
	case "record":
		record(arguments[0], arguments[1], arguments[2])
	case "tree":
		tree(arguments[0], arguments[1], arguments[2], arguments[3:])
	case "tiles":
		tiles(arguments[0], arguments[1])
	}
	fmt.Println("verified")
}
