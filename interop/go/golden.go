package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"os"
	"reflect"
)

type goldenFile struct {
	Frames []struct {
		Name     string
		Type     string
		Flags    uint16
		ID       uint32
		Sequence uint32
		Argument uint32
		Request  *struct {
			CallID   string
			Method   string
			Metadata map[string]any
		}
		Error    *wireError
		Metadata map[string]any
		Payload  string
		Hex      string
	}
	Refused []struct{ Name, Hex, Kind string }
}

// Writes each golden frame from its description and reads each from its bytes.
func checkGolden(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var golden goldenFile
	if err := fromJSON(text, &golden); err != nil {
		return nil, err
	}
	for _, want := range golden.Frames {
		payload, err := hex.DecodeString(want.Payload)
		if err != nil {
			return nil, err
		}
		f := frame{kind: typeNames[want.Type], flags: want.Flags, id: want.ID, sequence: want.Sequence, argument: want.Argument, payload: payload}
		switch {
		case want.Request != nil:
			id, err := hex.DecodeString(want.Request.CallID)
			if err != nil {
				return nil, err
			}
			f.metadata = toCbor(request{ID: id, Method: want.Request.Method, Metadata: plainMap(want.Request.Metadata)})
		case want.Error != nil:
			f.metadata = toCbor(want.Error)
		case want.Metadata != nil:
			f.metadata = writeMetadata(plainMap(want.Metadata))
		}
		if got := hex.EncodeToString(f.encode()); got != want.Hex {
			return nil, fmt.Errorf("%s: wrote %s, not %s", want.Name, got, want.Hex)
		}
		raw, err := hex.DecodeString(want.Hex)
		if err != nil {
			return nil, err
		}
		read, err := readFrame(bytes.NewReader(raw))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", want.Name, err)
		}
		if !bytes.Equal(read.metadata, f.metadata) || !bytes.Equal(read.payload, f.payload) || read.kind != f.kind ||
			read.flags != f.flags || read.id != f.id || read.sequence != f.sequence || read.argument != f.argument {
			return nil, fmt.Errorf("%s: read another frame", want.Name)
		}
		if want.Metadata != nil {
			metadata, err := readMetadata(read.metadata)
			if err != nil || !reflect.DeepEqual(metadata, plainMap(want.Metadata)) {
				return nil, fmt.Errorf("%s: read other metadata: %v %v", want.Name, metadata, err)
			}
		}
	}
	for _, bad := range golden.Refused {
		raw, err := hex.DecodeString(bad.Hex)
		if err != nil {
			return nil, err
		}
		if _, err := readFrame(bytes.NewReader(raw)); err == nil || faultKind(err) != bad.Kind {
			return nil, fmt.Errorf("%s: not refused as %s but %v", bad.Name, bad.Kind, err)
		}
	}
	return map[string]any{"frames": len(golden.Frames), "refused": len(golden.Refused)}, nil
}
