// Load brings participants into a meeting and counts what reaches them.
//
// It reads a Wish (JSON) from its input and prints a Report (JSON); "counting" and "counted" on its
// error output say when the middle of the meeting begins and ends. Media is not encoded: frames of a
// camera's sizes and rates are made once and sent again and again, since a server that forwards does
// not look inside. Everybody sees up to `watch` pictures, one of them large, and hears everybody.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/livekit/protocol/livekit"
	"github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/rtcp"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

// Person is somebody to bring: what they send beside a token for the room.
type Person struct {
	Token string  `json:"token"`
	Sound float64 `json:"sound"` // packets of sound in a second; 0: none
	Video bool    `json:"video"`
	Share bool    `json:"share"`
}

// Wish says whom to bring where, how long they are left alone once they are there, so that what is
// counted is a meeting under way and not its beginning, and for how long all are counted then.
type Wish struct {
	URL       string   `json:"url"`
	Pause     float64  `json:"pause"`
	Seconds   float64  `json:"seconds"`
	PerSecond float64  `json:"per_second"`
	People    []Person `json:"people"`
}

// Count is what arrived of one kind while all were counted, over all who received it. Whole: pictures
// that ended, or sounds. Lost: gaps in the packets' numbers (RFC 3550, section 5.1).
type Count struct {
	Tracks  int64 `json:"tracks"`
	Packets int64 `json:"packets"`
	Lost    int64 `json:"lost"`
	Whole   int64 `json:"whole"`
}

// Report is the result. FirstPicture: milliseconds from the link to the first whole picture, of each
// person, in order. CPU: seconds of processor that this program used while all were counted.
type Report struct {
	Joined       int      `json:"joined"`
	Failed       []string `json:"failed"`
	FirstPicture []int64  `json:"first_picture"`
	Seconds      float64  `json:"seconds"`
	CPU          float64  `json:"cpu"`
	Sound        Count    `json:"sound"`
	Video        Count    `json:"video"`
}

// Opus at 32 kbit/s in packets of 20 ms, as browsers send it.
const opusBytes = 80

// layer is a camera's or a screen's picture at one size, as browsers send it by default.
type layer struct {
	quality       livekit.VideoQuality
	width, height uint32
	frames        int
	bits          int
}

var (
	camera = []layer{
		{livekit.VideoQuality_LOW, 320, 180, 15, 120_000},
		{livekit.VideoQuality_HIGH, 640, 360, 25, 450_000},
	}
	screen = []layer{{livekit.VideoQuality_HIGH, 1920, 1080, 5, 1_000_000}}
)

// frames sends pictures of a layer's rate and size, and a key frame where somebody asks for one.
type frames struct {
	lksdk.BaseSampleProvider
	layer  layer
	key    []byte
	other  []byte
	asked  atomic.Bool
	number int
}

// newFrames makes the two pictures. Their first bytes are a VP8 frame's header (RFC 6386, section
// 9.1), which servers read to tell key frames; the rest never changes.
func newFrames(of layer) *frames {
	size := of.bits / 8 / of.frames
	key, other := make([]byte, 3*size), make([]byte, size)
	for i := range key {
		key[i] = byte(i * 31)
	}
	copy(other, key)
	copy(key, []byte{0x10, 0x02, 0x00, 0x9d, 0x01, 0x2a, byte(of.width), byte(of.width >> 8), byte(of.height), byte(of.height >> 8)})
	other[0] = 0x31
	return &frames{layer: of, key: key, other: other}
}

func (f *frames) NextSample(context.Context) (media.Sample, error) {
	data := f.other
	// Browsers send a key frame when asked; a camera's first one is one, too.
	if f.asked.Swap(false) || f.number == 0 {
		data = f.key
	}
	f.number++
	return media.Sample{Data: data, Duration: time.Second / time.Duration(f.layer.frames)}, nil
}

func (f *frames) heard(packet rtcp.Packet) {
	switch packet.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		f.asked.Store(true)
	}
}

// sound sends Opus packets: of a voice at 50 a second, of a silent room (DTX) at 2.5.
type sound struct {
	lksdk.BaseSampleProvider
	packet []byte
	every  time.Duration
}

func (s *sound) NextSample(context.Context) (media.Sample, error) {
	return media.Sample{Data: s.packet, Duration: s.every}, nil
}

// CurrentAudioLevel is that of somebody who speaks, or of silence, in -dBov (RFC 6464).
func (s *sound) CurrentAudioLevel() uint8 {
	if s.every > 20*time.Millisecond {
		return 127
	}
	return 25
}

// hall is what all people share: who counts, and since when.
type hall struct {
	counting atomic.Bool
	sound    tally
	video    tally
	mutex    sync.Mutex
	first    []int64
	failed   []string
}

// tally makes a Count.
type tally struct{ tracks, packets, lost, whole atomic.Int64 }

func (h *hall) fail(err error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.failed = append(h.failed, err.Error())
}

// receive counts one track; whole is called with the last packet of each picture or sound.
func (h *hall) receive(track *webrtc.TrackRemote, into *tally, whole func()) {
	var highest, begun int64 = -1, -1
	var packets, wholes int64
	counted := false
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return
		}
		ends := packet.Marker || track.Kind() == webrtc.RTPCodecTypeAudio
		if ends {
			whole()
		}
		number := int64(packet.SequenceNumber)
		if highest >= 0 {
			number = highest + int64(int16(packet.SequenceNumber-uint16(highest)))
		}
		highest = max(highest, number)
		switch now := h.counting.Load(); {
		case now && !counted:
			counted, begun, packets, wholes = true, number, 0, 0
			into.tracks.Add(1)
		case !now && counted:
			into.packets.Add(packets)
			into.whole.Add(wholes)
			into.lost.Add(max(0, highest-begun-packets))
			return
		}
		packets++
		if ends {
			wholes++
		}
	}
}

// enter brings one person in; nil where they cannot.
func (h *hall) enter(url string, who Person) *lksdk.Room {
	begun := time.Now()
	seen := sync.OnceFunc(func() {
		h.mutex.Lock()
		defer h.mutex.Unlock()
		h.first = append(h.first, time.Since(begun).Milliseconds())
	})
	var large atomic.Bool
	callback := lksdk.NewRoomCallback()
	callback.OnTrackSubscribed = func(track *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
		if track.Kind() == webrtc.RTPCodecTypeAudio {
			go h.receive(track, &h.sound, func() {})
			return
		}
		// One picture is looked at large, as in a speaker view; the others are small beside it.
		if publication.Source() == livekit.TrackSource_CAMERA && !large.CompareAndSwap(false, true) {
			publication.SetVideoQuality(livekit.VideoQuality_LOW)
		}
		go h.receive(track, &h.video, seen)
	}
	room, err := lksdk.ConnectToRoomWithToken(url, who.Token, callback, lksdk.WithDisableRegionDiscovery())
	if err != nil {
		h.fail(err)
		return nil
	}
	if err := publish(room.LocalParticipant, who); err != nil {
		h.fail(err)
	}
	return room
}

func publish(who *lksdk.LocalParticipant, wish Person) error {
	if wish.Sound > 0 {
		capability := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
		track, err := lksdk.NewLocalTrack(capability)
		if err != nil {
			return err
		}
		every := time.Duration(float64(time.Second) / wish.Sound)
		provider := &sound{packet: make([]byte, opusBytes), every: every}
		track.OnBind(func() { _ = track.StartWrite(provider, nil) })
		if _, err := who.PublishTrack(track, &lksdk.TrackPublicationOptions{Source: livekit.TrackSource_MICROPHONE}); err != nil {
			return err
		}
	}
	if wish.Video {
		if err := publishPictures(who, camera, livekit.TrackSource_CAMERA); err != nil {
			return err
		}
	}
	if wish.Share {
		return publishPictures(who, screen, livekit.TrackSource_SCREEN_SHARE)
	}
	return nil
}

func publishPictures(who *lksdk.LocalParticipant, layers []layer, source livekit.TrackSource) error {
	var tracks []*lksdk.LocalTrack
	capability := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	for _, one := range layers {
		provider := newFrames(one)
		options := []lksdk.LocalTrackOptions{lksdk.WithRTCPHandler(provider.heard)}
		if len(layers) > 1 {
			size := &livekit.VideoLayer{Quality: one.quality, Width: one.width, Height: one.height, Bitrate: uint32(one.bits)}
			options = append(options, lksdk.WithSimulcast(source.String(), size))
		}
		track, err := lksdk.NewLocalTrack(capability, options...)
		if err != nil {
			return err
		}
		track.OnBind(func() { _ = track.StartWrite(provider, nil) })
		tracks = append(tracks, track)
	}
	last := layers[len(layers)-1]
	options := &lksdk.TrackPublicationOptions{Source: source, VideoWidth: int(last.width), VideoHeight: int(last.height)}
	if len(tracks) > 1 {
		_, err := who.PublishSimulcastTrack(tracks, options)
		return err
	}
	_, err := who.PublishTrack(tracks[0], options)
	return err
}

func cpuSeconds() float64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return float64(used.Utime.Nano()+used.Stime.Nano()) / 1e9
}

// run brings everybody, waits until each has seen a first picture or a while is over, and counts.
func run(wish Wish) Report {
	var all hall
	var rooms []*lksdk.Room
	var group sync.WaitGroup
	for _, who := range wish.People {
		group.Go(func() {
			if room := all.enter(wish.URL, who); room != nil {
				all.mutex.Lock()
				defer all.mutex.Unlock()
				rooms = append(rooms, room)
			}
		})
		time.Sleep(time.Duration(float64(time.Second) / wish.PerSecond))
	}
	group.Wait()
	time.Sleep(time.Duration(wish.Pause * float64(time.Second)))
	begun, used := time.Now(), cpuSeconds()
	fmt.Fprintln(os.Stderr, "counting")
	all.counting.Store(true)
	time.Sleep(time.Duration(wish.Seconds * float64(time.Second)))
	all.counting.Store(false)
	fmt.Fprintln(os.Stderr, "counted")
	seconds, cpu := time.Since(begun).Seconds(), cpuSeconds()-used
	// Each track adds its count with the next packet.
	time.Sleep(time.Second)
	for _, room := range rooms {
		room.Disconnect()
	}
	all.mutex.Lock()
	defer all.mutex.Unlock()
	slices.Sort(all.first)
	return Report{
		Joined: len(rooms), Failed: all.failed, FirstPicture: all.first, Seconds: seconds, CPU: cpu,
		Sound: all.sound.count(), Video: all.video.count(),
	}
}

func (t *tally) count() Count {
	return Count{t.tracks.Load(), t.packets.Load(), t.lost.Load(), t.whole.Load()}
}

func main() {
	var wish Wish
	if err := json.NewDecoder(os.Stdin).Decode(&wish); err != nil {
		fmt.Fprintln(os.Stderr, "load: no wish to be read:", err)
		os.Exit(2)
	}
	lksdk.SetLogger(logger.LogRLogger(logr.Discard()))
	if err := json.NewEncoder(os.Stdout).Encode(run(wish)); err != nil {
		os.Exit(1)
	}
}
