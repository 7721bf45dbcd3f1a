package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/pion/webrtc/v4/pkg/media/ivfreader"
	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

// pictures is a camera or a screen as a VP8 encoder has recorded it: a key frame, then what changes.
type pictures struct {
	width, height uint32
	every         time.Duration
	bits          int // in a second
	frames        [][]byte
}

// recording is what all people send: everybody with a camera sends both of its sizes.
type recording struct {
	pictures [kinds]pictures
	voice    [][]byte // packets of Opus, of 20 ms each
	silence  []byte   // one of a pause
}

// recorded reads a folder that builder.bench.recording has made.
func recorded(folder string) (*recording, error) {
	made := &recording{}
	for what, name := range map[kind]string{small: "small.ivf", large: "large.ivf", shared: "screen.ivf"} {
		found, err := readPictures(filepath.Join(folder, name))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		made.pictures[what] = found
	}
	var err error
	if made.voice, err = readSound(filepath.Join(folder, "voice.ogg")); err != nil {
		return nil, fmt.Errorf("voice.ogg: %w", err)
	}
	made.silence = slices.MinFunc(made.voice, func(one, other []byte) int { return len(one) - len(other) })
	return made, nil
}

func readPictures(name string) (pictures, error) {
	file, err := os.Open(name)
	if err != nil {
		return pictures{}, err
	}
	defer func() { _ = file.Close() }()
	reader, header, err := ivfreader.NewWith(file)
	if err != nil {
		return pictures{}, err
	}
	made := pictures{
		width:  uint32(header.Width),
		height: uint32(header.Height),
		every:  time.Second * time.Duration(header.TimebaseNumerator) / time.Duration(header.TimebaseDenominator),
	}
	size := 0
	for {
		frame, _, err := reader.ParseNextFrame()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return pictures{}, err
		}
		made.frames = append(made.frames, withNote(frame))
		size += len(frame)
	}
	if len(made.frames) < 2 {
		return pictures{}, errors.New("there are no pictures in it")
	}
	made.bits = int(float64(size*8) / (float64(len(made.frames)) * made.every.Seconds()))
	return made, nil
}

// readSound reads packets that lie in a page each.
func readSound(name string) ([][]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	reader, _, err := oggreader.NewWith(file)
	if err != nil {
		return nil, err
	}
	var made [][]byte
	for {
		page, header, err := reader.ParseNextPage()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if _, isHeader := header.HeaderType(page); !isHeader {
			made = append(made, withNote(page))
		}
	}
	if len(made) == 0 {
		return nil, errors.New("there is no sound in it")
	}
	return made, nil
}

// withNote lengthens what is too short for a note, as packets of a pause are.
func withNote(data []byte) []byte {
	for len(data) < noteAt+2 {
		data = append(data, 0)
	}
	return data
}
