// SPDX-License-Identifier: LGPL-2.1-or-later

// tlog-judge DIRECTORY: what Go's checksum database says of a log in static files. The directory has the key of the log (key),
// checkpoints (checkpoint, checkpoint.N), and proofs of entries (proof.N or *.tlog-proof). Each checkpoint has to be signed,
// each tile to be what the root hash says, each entry to be in the tree, and each checkpoint to continue the one before.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type tiles struct{ directory string }

func (t tiles) Height() int { return height }

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

// Where C2SP keeps a tile: Go's path has the height in it, and another name for entries.
func (t tiles) path(tile tlog.Tile) string {
	path := strings.TrimPrefix(tile.Path(), "tile/8/")
	return filepath.Join(t.directory, "tile", strings.Replace(path, "data/", "entries/", 1))
}

func (t tiles) read(tile tlog.Tile) ([]byte, error) {
	data, err := os.ReadFile(t.path(tile))
	if err != nil && tile.W < 1<<height {
		whole := tile
		whole.W = 1 << height
		data, err = os.ReadFile(t.path(whole))
	}
	return data, err
}

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range wanted {
		data, err := t.read(tile)
		if err != nil {
			return nil, err
		}
		if len(data) < tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s is too short", tile.Path())
		}
		all = append(all, data[:tile.W*tlog.HashSize])
	}
	return all, nil
}

func open(text []byte, verifier note.Verifier) (tlog.Tree, error) {
	signed, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("no checkpoint: %q", signed.Text)
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	hash, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: hash}, err
}

func entries(t tiles, size int64) ([][]byte, error) {
	var all [][]byte
	for first := int64(0); first < size; first += 1 << height {
		width := int64(1 << height)
		if size-first < width {
			width = size - first
		}
		data, err := t.read(tlog.Tile{H: height, L: -1, N: first >> height, W: int(width)})
		if err != nil {
			return nil, err
		}
		for i := int64(0); i < width; i++ {
			length := int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:2+length])
			data = data[2+length:]
		}
	}
	return all, nil
}

func checkProof(path string, verifier note.Verifier, all [][]byte) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	parts := bytes.SplitN(data, []byte("\n\n"), 2)
	lines := strings.Split(string(parts[0]), "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return fmt.Errorf("%s", lines[0])
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return err
		}
		proof = append(proof, *(*tlog.Hash)(hash))
	}
	tree, err := open(parts[1], verifier)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(all[index]))
}

func checkTree(t tiles, tree tlog.Tree, all [][]byte, former *tlog.Tree) error {
	reader := tlog.TileHashReader(tree, t)
	step := tree.N/50 + 1
	for index := int64(0); index < tree.N; index += step {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(all[index])); err != nil {
			return err
		}
	}
	if former == nil || former.N == 0 || former.N == tree.N {
		return nil
	}
	proof, err := tlog.ProveTree(tree.N, former.N, reader)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, former.N, former.Hash)
}

// All entries together have the root that was signed, by Go's own hashing of a tree from its leaves.
func checkAll(all [][]byte, tree tlog.Tree) error {
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var found []tlog.Hash
		for _, index := range indexes {
			found = append(found, stored[index])
		}
		return found, nil
	})
	for i := int64(0); i < tree.N; i++ {
		more, err := tlog.StoredHashes(i, all[i], reader)
		if err != nil {
			return err
		}
		stored = append(stored, more...)
	}
	hash, err := tlog.TreeHash(tree.N, reader)
	if err == nil && hash != tree.Hash {
		err = fmt.Errorf("the entries have another root")
	}
	return err
}

func run(directory string) error {
	key, err := os.ReadFile(filepath.Join(directory, "key"))
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return err
	}
	names, _ := filepath.Glob(filepath.Join(directory, "checkpoint*"))
	var trees []tlog.Tree
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		tree, err := open(text, verifier)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		trees = append(trees, tree)
	}
	if len(trees) == 0 {
		return fmt.Errorf("no checkpoint")
	}
	sort.Slice(trees, func(a, b int) bool { return trees[a].N < trees[b].N })
	t := tiles{directory}
	last := trees[len(trees)-1]
	all, err := entries(t, last.N)
	if err != nil {
		return err
	}
	var former *tlog.Tree
	for i := range trees {
		if err := checkTree(t, trees[i], all, former); err != nil {
			return fmt.Errorf("size %d: %w", trees[i].N, err)
		}
		former = &trees[i]
	}
	if err := checkAll(all, last); err != nil {
		return err
	}
	proofs, _ := filepath.Glob(filepath.Join(directory, "proof.*"))
	more, _ := filepath.Glob(filepath.Join(directory, "*.tlog-proof"))
	for _, name := range append(proofs, more...) {
		if err := checkProof(name, verifier, all); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	fmt.Printf("%d checkpoints, %d entries, %d proofs\n", len(trees), last.N, len(proofs)+len(more))
	return nil
}

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}
