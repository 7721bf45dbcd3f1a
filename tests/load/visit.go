package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"
)

// Visit says where somebody comes in who sends nothing, sees a picture and goes. Large: the identity of
// the one whose camera he looks at.
type Visit struct {
	URL   string `json:"url"`
	Link  string `json:"link"`
	Name  string `json:"name"`
	Token string `json:"token"`
	Large string `json:"large"`
}

// Visited is what came of it; First and Place as in Attended. Failed: why he has seen nothing.
type Visited struct {
	Place  int64  `json:"place"`
	First  *int64 `json:"first"`
	Failed string `json:"failed,omitempty"`
}

const (
	// The argument with which this program makes the visits that it is told of.
	asVisitor = "visitor"
	// How much more urgent it is than the crowd (setpriority(2)).
	urgent = -10
)

// visitor makes visits in a process of its own. Who comes has a machine that does nothing else; in here
// he would wait for the packets of all who are there already, at each step that he takes, and a way with
// more steps would look longer than it is.
type visitor struct {
	process *exec.Cmd
	wishes  io.WriteCloser
	answers *json.Decoder
}

func newVisitor() (*visitor, error) {
	process := exec.Command("/proc/self/exe", asVisitor)
	process.Stderr = os.Stderr
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	wishes, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	answers, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := process.Start(); err != nil {
		return nil, err
	}
	// All its threads. It uses little, and would wait for the crowd at each step as well.
	_ = syscall.Setpriority(syscall.PRIO_PGRP, process.Process.Pid, urgent)
	return &visitor{process, wishes, json.NewDecoder(answers)}, nil
}

// visit makes one and returns once it is over.
func (v *visitor) visit(what Visit) (made Visited, err error) {
	if err = json.NewEncoder(v.wishes).Encode(what); err == nil {
		err = v.answers.Decode(&made)
	}
	return made, err
}

// close ends the process, which ends with its input.
func (v *visitor) close() {
	_ = v.wishes.Close()
	_ = v.process.Wait()
}

// visits makes those that are told of on the input, one after the other, until it ends.
func visits(from io.Reader, to io.Writer) error {
	wishes, answers := json.NewDecoder(from), json.NewEncoder(to)
	for {
		var wish Visit
		if err := wishes.Decode(&wish); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		made, err := wish.make()
		if err != nil {
			made.Failed = err.Error()
		}
		if err := answers.Encode(made); err != nil {
			return err
		}
	}
}

func (v Visit) make() (Visited, error) {
	var browser *guest
	if v.Link != "" {
		var err error
		if browser, err = load(v.Link); err != nil {
			return Visited{}, err
		}
	}
	begun := time.Now()
	passed := func() int64 { return time.Since(begun).Milliseconds() }
	seen := make(chan int64, 1)
	see := sync.OnceFunc(func() { seen <- passed() })
	callback := lksdk.NewRoomCallback()
	callback.OnTrackSubscribed = func(track *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, sender *lksdk.RemoteParticipant) {
		if track.Kind() == webrtc.RTPCodecTypeAudio {
			go packets(track, func(*rtp.Packet) {})
			return
		}
		if publication.Source() == livekit.TrackSource_CAMERA && sender.Identity() != v.Large {
			publication.SetVideoQuality(livekit.VideoQuality_LOW)
		}
		go watch(track, &tally{}, see)
	}
	url, token := v.URL, v.Token
	if browser != nil {
		var err error
		if url, token, err = browser.enter(v.Name); err != nil {
			return Visited{}, err
		}
	}
	made := Visited{Place: passed()}
	room, err := connect(url, token, callback)
	if err != nil {
		return made, err
	}
	defer room.Disconnect()
	select {
	case first := <-seen:
		made.First = &first
		return made, nil
	case <-time.After(patience):
		return made, fmt.Errorf("%s has seen nothing within %s", v.Name, patience)
	}
}
