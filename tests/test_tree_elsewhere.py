"""Our proofs, tiles and notes as somebody else's program sees them: golang.org/x/mod's sumdb/tlog and sumdb/note.

That library shares no line with ours. It grows each tree from the leaves itself, makes every proof itself, reads
our tiles, and signs the same note with the same key: all of it must be equal, byte for byte, and what we falsify
must be refused by it too. Needs Go and Debian's golang-golang-x-mod-dev; builds offline, without modules.
"""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from audit import tree
from audit.notes import Checkpoint, cosign, cosigner_key, log_key, private_key, sign_note
from audit.tree import Levels, Tiles, leaf_hash
from tests.test_tree import tile_data

SOURCES = Path("/usr/share/gocode")  # where Debian puts the sources of Go libraries
GO = shutil.which("go")
needs_go = pytest.mark.skipif(
    GO is None or not (SOURCES / "src/golang.org/x/mod/sumdb/tlog").is_dir(),
    reason="Go and golang.org/x/mod are not installed (Debian: golang-go, golang-golang-x-mod-dev)",
)

ORIGIN, WITNESS = "lanyard.example/1", "partner.example/w1"
SEED, WITNESS_SEED = bytes(range(32)), bytes(range(32, 64))
TILED = [1, 2, 255, 256, 257, 1000, 65_536, 66_000]

PROGRAM = r"""
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type Case struct {
	Index, Old, Size int64
	OldRoot, Root    tlog.Hash
	Inclusion        tlog.RecordProof
	Consistency      tlog.TreeProof
	False            bool // must be refused
}

type Input struct {
	Leaves                                           int64
	Cases                                            []Case
	Tiled                                            []tlog.Tree
	Note, Text, LogKey, LogSecret, CosignerKey, Name string
	FalseNotes                                       []string
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func check(ok bool, what string, about ...interface{}) {
	if !ok {
		log.Fatal(append([]interface{}{what, " "}, about...)...)
	}
}

// Tiles reads the files of an export.
type Tiles string

func (t Tiles) Height() int                       { return 8 }
func (t Tiles) SaveTiles([]tlog.Tile, [][]byte)   {}
func (t Tiles) ReadTiles(tiles []tlog.Tile) (data [][]byte, err error) {
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		read, err := os.ReadFile(filepath.Join(string(t), path))
		if err != nil {
			return nil, err
		}
		data = append(data, read)
	}
	return data, nil
}

// Cosigner is cosignature/v1, from its specification.
type Cosigner struct {
	name string
	key  []byte
}

func (c Cosigner) Name() string { return c.name }
func (c Cosigner) KeyHash() uint32 {
	sum := sha256.Sum256(append([]byte(c.name+"\n\x04"), c.key...))
	return binary.BigEndian.Uint32(sum[:])
}
func (c Cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	head := fmt.Sprintf("cosignature/v1\ntime %d\n", binary.BigEndian.Uint64(sig))
	return ed25519.Verify(c.key, append([]byte(head), msg...), sig[8:])
}

func main() {
	var in Input
	data, err := os.ReadFile(os.Args[1])
	must(err)
	must(json.Unmarshal(data, &in))

	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		list := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			list[i] = stored[index]
		}
		return list, nil
	})
	leaf := func(n int64) []byte { return []byte(fmt.Sprintf("leaf %d", n)) }
	for n := int64(0); n < in.Leaves; n++ {
		hashes, err := tlog.StoredHashes(n, leaf(n), reader)
		must(err)
		stored = append(stored, hashes...)
	}

	for _, c := range in.Cases {
		err1 := tlog.CheckRecord(c.Inclusion, c.Size, c.Root, c.Index, tlog.RecordHash(leaf(c.Index)))
		err2 := tlog.CheckTree(c.Consistency, c.Size, c.Root, c.Old, c.OldRoot)
		if c.False {
			check(err1 != nil, "a false inclusion proof was believed", c)
			check(err2 != nil, "a false consistency proof was believed", c)
			continue
		}
		must(err1)
		must(err2)
		root, err := tlog.TreeHash(c.Size, reader)
		must(err)
		check(root == c.Root, "another root", c.Size)
		included, err := tlog.ProveRecord(c.Size, c.Index, reader)
		must(err)
		check(len(included)+len(c.Inclusion) == 0 || reflect.DeepEqual(included, c.Inclusion), "another path", c)
		grown, err := tlog.ProveTree(c.Size, c.Old, reader)
		must(err)
		check(len(grown)+len(c.Consistency) == 0 || reflect.DeepEqual(grown, c.Consistency), "another growth", c)
	}

	for _, tiled := range in.Tiled {
		tiles := tlog.TileHashReader(tiled, Tiles(filepath.Join(os.Args[2], fmt.Sprint(tiled.N))))
		for n := int64(0); n < tiled.N; n += 1 + tiled.N/50 {
			path, err := tlog.ProveRecord(tiled.N, n, tiles) // refuses tiles that do not lead to the root
			must(err)
			must(tlog.CheckRecord(path, tiled.N, tiled.Hash, n, tlog.RecordHash(leaf(n))))
		}
	}

	verifier, err := note.NewVerifier(in.LogKey)
	must(err)
	key, err := base64.StdEncoding.DecodeString(in.CosignerKey)
	must(err)
	known := note.VerifierList(verifier, Cosigner{in.Name, key[1:]})
	opened, err := note.Open([]byte(in.Note), known)
	must(err)
	check(opened.Text == in.Text && len(opened.Sigs) == 2, "not both signatures", opened)
	for _, wrong := range in.FalseNotes {
		_, err := note.Open([]byte(wrong), known)
		check(err != nil, "a false note was believed", wrong)
	}
	signer, err := note.NewSigner(in.LogSecret)
	must(err)
	signed, err := note.Sign(&note.Note{Text: in.Text}, signer)
	must(err)
	check(strings.HasPrefix(in.Note, string(signed)), "another signature", string(signed))
	fmt.Println("agreed on", len(in.Cases), "cases and", len(in.Tiled), "exports")
}
"""


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def case(index: int, old: int, size: int, levels: Levels) -> dict[str, Any]:
    """All we say of one tree, as the other program reads it."""
    return {
        "Index": index,
        "Old": old,
        "Size": size,
        "OldRoot": b64(tree.root(old, levels)),
        "Root": b64(tree.root(size, levels)),
        "Inclusion": [b64(part) for part in tree.inclusion(index, size, levels)],
        "Consistency": [b64(part) for part in tree.consistency(old, size, levels)],
    }


def falsified(true: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """The same with a bit changed in a hash of each proof, or one hash too many."""
    wrong = {**true, "False": True}
    for proof in ["Inclusion", "Consistency"]:
        parts = [base64.b64decode(part) for part in true[proof]]
        at = chance.randrange(len(parts) + 1)
        if at < len(parts):
            parts[at] = bytes([parts[at][0] ^ 1]) + parts[at][1:]
        else:
            parts.append(bytes(32))
        wrong[proof] = [b64(part) for part in parts]
    return wrong


def written_tiles(folder: Path, size: int, levels: Levels) -> dict[str, Any]:
    """An export's tiles, as files; returns what a checkpoint says of it."""
    for tile in tree.tiles_of(size):
        path = folder / str(size) / tile.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(tile_data(tile, levels))
    read = Tiles(size, lambda *tile: (folder / str(size) / tree.tile_path(*tile)).read_bytes())
    return {"N": size, "Hash": b64(tree.root(size, read))}


def what_we_say(folder: Path) -> dict[str, Any]:
    chance = random.Random(2026)
    levels = Levels(leaf_hash(f"leaf {index}".encode()) for index in range(max(TILED)))
    sizes = [*range(1, 40), *TILED, *(chance.randrange(40, max(TILED)) for _ in range(100))]
    cases = [case(chance.randrange(size), chance.randint(1, size), size, levels) for size in sizes]
    log, witness = private_key(SEED), private_key(WITNESS_SEED)
    verifier = log_key(ORIGIN, log)
    text = Checkpoint(ORIGIN, 1000, tree.root(1000, levels)).text()
    note = sign_note(text, ORIGIN, log).decode()
    line = cosign(text, WITNESS, witness, 1_700_000_000)
    return {
        "Leaves": max(TILED),
        "Cases": [*cases, *(falsified(each, chance) for each in cases)],
        "Tiled": [written_tiles(folder, size, levels) for size in TILED],
        "Note": note + line,
        "Text": text,
        "LogKey": verifier.format(),
        "LogSecret": f"PRIVATE+KEY+{ORIGIN}+{verifier.id.hex()}+{b64(bytes([1]) + SEED)}",
        "CosignerKey": cosigner_key(WITNESS, witness).format().split("+", 2)[2],
        "Name": WITNESS,
        "FalseNotes": [note.replace("\n1000\n", "\n1001\n"), note[:-1], line, note + line.replace("A", "B", 1)],
    }


def run(program: Path, *arguments: Path) -> subprocess.CompletedProcess[str]:
    home = program.parent
    settings = {"GO111MODULE": "off", "GOPATH": str(SOURCES), "GOFLAGS": "", "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    places = {"HOME": str(home), "GOCACHE": str(home / "cache"), "GOTMPDIR": str(home), "PATH": os.environ["PATH"]}
    command = [str(GO), "run", str(program), *map(str, arguments)]
    return subprocess.run(
        command, env={**settings, **places}, cwd=home, capture_output=True, text=True, timeout=110, check=False
    )


@needs_go
def test_go_agrees_on_roots_proofs_tiles_notes_and_cosignatures_and_refuses_false_ones(tmp_path: Path) -> None:
    program, said = tmp_path / "elsewhere.go", tmp_path / "said.json"
    program.write_text(PROGRAM)
    said.write_text(json.dumps(what_we_say(tmp_path)))
    result = run(program, said, tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"agreed on {2 * (39 + len(TILED) + 100)} cases and {len(TILED)} exports\n"
