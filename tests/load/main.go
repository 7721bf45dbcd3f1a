// Load brings participants into a meeting and counts what reaches them.
//
// It reads a Wish (JSON) from its input and prints a Report (JSON); "counting" and "counted" on its
// error output say when the middle of the meeting begins and ends. Media is not encoded: what encoders
// have recorded once (see recording) is sent again and again. Each picture and each sound bears a note (see mark), so that what arrives is compared
// with what was sent while all were counted, and with nothing else. Everybody sees all cameras, one
// of them large, and the screen, and hears everybody.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
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
	"github.com/pion/rtp"
	"github.com/pion/rtp/codecs"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

// Person is somebody to bring: what they send, and whose camera they look at large (a number in
// People). Token: for the room, where there is no link.
type Person struct {
	Name  string  `json:"name"`
	Token string  `json:"token"`
	Sound float64 `json:"sound"` // packets of sound in a second; 0: none
	Video bool    `json:"video"`
	Share bool    `json:"share"`
	Large int     `json:"large"`
}

// Wish says whom to bring where, how long they are left alone once they are there, so that what is
// counted is a meeting under way and not its beginning, and for how long all are counted then.
// PerSecond: how many come in a second; 0: one after the other, each once the one before is there for all,
// and before each of them but the first a visitor comes and goes, whose time counts.
// Link: the invitation that all follow; without one they have tokens for the server at URL. Recorded: the
// folder of what they send.
type Wish struct {
	URL       string   `json:"url"`
	Link      string   `json:"link"`
	Recorded  string   `json:"recorded"`
	Pause     float64  `json:"pause"`
	Seconds   float64  `json:"seconds"`
	PerSecond float64  `json:"per_second"`
	People    []Person `json:"people"`
}

// Sent is what somebody sent while all were counted: packets of sound, and pictures of each kind.
type Sent struct {
	Sound  int64 `json:"sound"`
	Small  int64 `json:"small"`
	Large  int64 `json:"large"`
	Screen int64 `json:"screen"`
}

// Got is what reached somebody of all that. Pictures: whole ones; of a camera no more than the layer
// has that this person looks at, so that more pictures of one make up for no other.
type Got struct {
	Sound    int64 `json:"sound"`
	Pictures int64 `json:"pictures"`
}

// Attended is one person's part. First: milliseconds to the first whole picture; null: there
// was none. Place: those to LiveKit's address and a token. Both begin once the page of the link is loaded.
type Attended struct {
	Came  bool   `json:"came"`
	Place int64  `json:"place"`
	First *int64 `json:"first"`
	Sent  Sent   `json:"sent"`
	Got   Got    `json:"got"`
}

// Report is the result; People are those of the wish, in its order; Visits: see Wish. CPU: seconds of processor that
// this program used while all were counted. Tracks: streams of which something came then; Sounds:
// those of sound among them. Small and Large: whole pictures that came of either layer of the cameras, over all.
type Report struct {
	People  []Attended `json:"people"`
	Visits  []Visited  `json:"visits"`
	Failed  []string   `json:"failed"`
	Seconds float64    `json:"seconds"`
	CPU     float64    `json:"cpu"`
	Tracks  int        `json:"tracks"`
	Sounds  int        `json:"sounds"`
	Small   int64      `json:"small"`
	Large   int64      `json:"large"`
	// Packets that came to this program's door and found it full: lost by the crowd, not by the server.
	Overflowed int64 `json:"overflowed"`
}

// kind of media.
type kind byte

const (
	voice kind = iota
	small
	large
	shared
	kinds
)

// How long the next person waits for one who is not there for all, and the meeting for those who see
// nothing yet; and how long after another somebody comes, so that he need not wait for a key frame because
// of him: LiveKit asks a camera for no more than two in a second.
const (
	patience = 5 * time.Second
	settling = 30 * time.Second
	apart    = 500 * time.Millisecond
)

// For how many people one processor has time, with room to spare: while they come, and once they are there.
const (
	arriving = 40
	present  = 100
)

// processors keeps this program to as few as it needs: where fewer threads look for packets, a program
// in Go spends less on it.
func processors(people, each int) {
	runtime.GOMAXPROCS(min(runtime.NumCPU(), 1+people/each))
}

// layer is a camera's or a screen's picture at one size.
type layer struct {
	kind    kind
	quality livekit.VideoQuality
}

var (
	camera = []layer{{small, livekit.VideoQuality_LOW}, {large, livekit.VideoQuality_HIGH}}
	screen = []layer{{shared, livekit.VideoQuality_HIGH}}
)

// The note in a sound or a picture: counted, where it was sent while all were counted, and its kind.
// It stands behind a VP8 key frame's header (RFC 6386, section 9.1), the longest that servers read, in
// the place of two bytes that only who draws the picture would miss.
const (
	noteAt  = 10
	counted = 0xc7
)

// seat is one person in the hall: what they have sent while all were counted. Sees is done once they see
// a picture, there once all who came before receive them; both are where they cannot come.
type seat struct {
	hall        *hall
	sent        [kinds]atomic.Int64
	before      atomic.Int64 // of those who came before: how many receive nothing of them yet
	sees, there event
}

// event is something that comes once.
type event struct {
	come chan struct{}
	done func()
}

func newEvent() event {
	come := make(chan struct{})
	return event{come, sync.OnceFunc(func() { close(come) })}
}

// await waits until all of these have come, no longer than `most`.
func await(all []event, most time.Duration) {
	enough := time.After(most)
	for _, one := range all {
		select {
		case <-one.come:
		case <-enough:
			return
		}
	}
}

// mark writes the note into something that is about to be sent.
func (s *seat) mark(data []byte, what kind) {
	data[noteAt], data[noteAt+1] = 0, byte(what)
	if s.hall.counting.Load() {
		data[noteAt] = counted
		s.sent[what].Add(1)
	}
}

// note reads it again: whether it counts, and of which kind it is.
func note(data []byte) (bool, kind) {
	if len(data) < noteAt+2 || data[noteAt] != counted || data[noteAt+1] >= byte(kinds) {
		return false, 0
	}
	return true, kind(data[noteAt+1])
}

// frames sends the pictures of a recording, from its key frame on where somebody asks for one.
type frames struct {
	lksdk.BaseSampleProvider
	seat     *seat
	kind     kind
	recorded pictures
	asked    atomic.Bool
	number   int
	data     []byte
}

// NextSample is called by one goroutine; what it returns is copied into packets before it is called again.
func (f *frames) NextSample(context.Context) (media.Sample, error) {
	if f.asked.Swap(false) {
		f.number = 0
	} else if f.number == len(f.recorded.frames) {
		// Browsers send no key frame that nobody has asked for, save the first.
		f.number = 1
	}
	f.data = append(f.data[:0], f.recorded.frames[f.number]...)
	f.number++
	f.seat.mark(f.data, f.kind)
	return media.Sample{Data: f.data, Duration: f.recorded.every}, nil
}

func (f *frames) heard(packet rtcp.Packet) {
	switch packet.(type) {
	case *rtcp.PictureLossIndication, *rtcp.FullIntraRequest:
		f.asked.Store(true)
	}
}

// How long a packet of speech is.
const speech = 20 * time.Millisecond

// sound sends Opus packets: of a voice at 50 a second, of a silent room (DTX) at 2.5.
type sound struct {
	lksdk.BaseSampleProvider
	seat    *seat
	packets [][]byte
	every   time.Duration
	number  int
	data    []byte
}

func (s *sound) NextSample(context.Context) (media.Sample, error) {
	s.data = append(s.data[:0], s.packets[s.number%len(s.packets)]...)
	s.number++
	s.seat.mark(s.data, voice)
	return media.Sample{Data: s.data, Duration: s.every}, nil
}

func (s *sound) silent() bool { return s.every > speech }

// CurrentAudioLevel is that of somebody who speaks, or of silence, in -dBov (RFC 6464).
func (s *sound) CurrentAudioLevel() uint8 {
	if s.silent() {
		return 127
	}
	return 25
}

// hall is what all people share: who counts, and what comes.
type hall struct {
	recorded *recording
	counting atomic.Bool
	seats    []*seat
	mutex    sync.Mutex
	numbers  map[string]int // whose identity is whose
	tallies  []*tally
	first    []*int64
	place    []int64
	came     []bool
	failed   []string
}

// tally counts one track: what came from one person to another that was sent while all were counted.
type tally struct {
	from, to int
	came     [kinds]atomic.Int64
}

func newHall(people int, what *recording) *hall {
	made := &hall{
		recorded: what, numbers: map[string]int{}, first: make([]*int64, people), place: make([]int64, people), came: make([]bool, people),
	}
	for number := range people {
		one := &seat{hall: made, sees: newEvent(), there: newEvent()}
		one.before.Store(int64(number))
		made.seats = append(made.seats, one)
	}
	return made
}

func (h *hall) fail(err error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.failed = append(h.failed, err.Error())
}

// seen notes that somebody's first picture has come.
func (h *hall) seen(number int, begun time.Time) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	if h.first[number] == nil {
		passed := time.Since(begun).Milliseconds()
		h.first[number] = &passed
		h.seats[number].sees.done()
	}
}

func (h *hall) tally(from, to int) *tally {
	made := &tally{from: from, to: to}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.tallies = append(h.tallies, made)
	return made
}

// identity of one who is there; empty where he is not.
func (h *hall) identity(number int) string {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	for identity, one := range h.numbers {
		if one == number {
			return identity
		}
	}
	return ""
}

func (h *hall) number(identity string) (int, bool) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	number, known := h.numbers[identity]
	return number, known
}

// packets reads a track to its end. What is given to `take` is good until it returns.
func packets(track *webrtc.TrackRemote, take func(*rtp.Packet)) {
	buffer := make([]byte, 1500)
	var packet rtp.Packet
	for {
		size, _, err := track.Read(buffer)
		if err != nil {
			return
		}
		// Without a payload it is padding, by which servers probe a line.
		if packet.Unmarshal(buffer[:size]) == nil && len(packet.Payload) > 0 {
			take(&packet)
		}
	}
}

// hear counts a track of sound.
func hear(track *webrtc.TrackRemote, into *tally) {
	packets(track, func(packet *rtp.Packet) {
		if counts, what := note(packet.Payload); counts {
			into.came[what].Add(1)
		}
	})
}

// picture is one that is coming: the numbers of its packets, of which the last bears the marker.
type picture struct {
	begun, ended bool
	first, last  uint16
	numbers      []uint16
	counts       bool
	what         kind
}

// add takes one more packet of it; whether it is whole now. Sent again, a packet may come twice.
func (p *picture) add(packet *rtp.Packet) bool {
	if slices.Contains(p.numbers, packet.SequenceNumber) {
		return false
	}
	p.numbers = append(p.numbers, packet.SequenceNumber)
	if packet.Marker {
		p.ended, p.last = true, packet.SequenceNumber
	}
	// The first packet of a picture's first and only partition (RFC 7741, section 4.2).
	if packet.Payload[0]&0x17 == 0x10 {
		var begin codecs.VP8Packet
		if data, err := begin.Unmarshal(packet.Payload); err == nil {
			p.begun, p.first = true, packet.SequenceNumber
			p.counts, p.what = note(data)
		}
	}
	return p.begun && p.ended && len(p.numbers) == int(p.last-p.first)+1
}

// Pictures that are coming at once; with more, those that miss something are given up.
const pending = 32

// watch counts a track of pictures; whole is called with each that is whole.
func watch(track *webrtc.TrackRemote, into *tally, whole func()) {
	coming := map[uint32]*picture{}
	packets(track, func(packet *rtp.Packet) {
		one := coming[packet.Timestamp]
		if one == nil {
			if len(coming) >= pending {
				clear(coming)
			}
			one = &picture{}
			coming[packet.Timestamp] = one
		}
		if !one.add(packet) {
			return
		}
		delete(coming, packet.Timestamp)
		whole()
		if one.counts {
			into.came[one.what].Add(1)
		}
	})
}

// enter brings one person in; nil where they cannot.
func (h *hall) enter(wish Wish, number int) *lksdk.Room {
	who := wish.People[number]
	var visitor *guest
	if wish.Link != "" {
		var err error
		if visitor, err = load(wish.Link); err != nil {
			h.fail(err)
			return nil
		}
	}
	begun := time.Now()
	callback := lksdk.NewRoomCallback()
	callback.OnTrackSubscribed = func(track *webrtc.TrackRemote, publication *lksdk.RemoteTrackPublication, sender *lksdk.RemoteParticipant) {
		from, known := h.number(sender.Identity())
		if !known {
			h.fail(fmt.Errorf("somebody else is in the room: %s", sender.Identity()))
			return
		}
		into := h.tally(from, number)
		if track.Kind() == webrtc.RTPCodecTypeAudio {
			if number < from && h.seats[from].before.Add(-1) == 0 {
				h.seats[from].there.done()
			}
			go hear(track, into)
			return
		}
		// One picture is looked at large, as in a speaker view; the others are small beside it.
		if publication.Source() == livekit.TrackSource_CAMERA && from != who.Large {
			publication.SetVideoQuality(livekit.VideoQuality_LOW)
		}
		go watch(track, into, sync.OnceFunc(func() { h.seen(number, begun) }))
	}
	callback.OnTrackSubscriptionFailed = func(stream string, sender *lksdk.RemoteParticipant) {
		h.fail(fmt.Errorf("%s never got to know what %s of %s is", who.Name, stream, sender.Name()))
	}
	url, token := wish.URL, who.Token
	if visitor != nil {
		var err error
		if url, token, err = visitor.enter(who.Name); err != nil {
			h.fail(err)
			return nil
		}
	}
	placed := time.Since(begun).Milliseconds()
	room, err := connect(url, token, callback)
	if err != nil {
		h.fail(err)
		return nil
	}
	h.mutex.Lock()
	h.numbers[room.LocalParticipant.Identity()] = number
	h.came[number], h.place[number] = true, placed
	h.mutex.Unlock()
	if err := publish(room.LocalParticipant, who, h.seats[number]); err != nil {
		h.fail(err)
	}
	return room
}

func publish(who *lksdk.LocalParticipant, wish Person, from *seat) error {
	if wish.Sound > 0 {
		capability := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
		track, err := lksdk.NewLocalTrack(capability)
		if err != nil {
			return err
		}
		every := time.Duration(float64(time.Second) / wish.Sound)
		provider := &sound{seat: from, packets: from.hall.recorded.voice, every: every}
		if provider.silent() {
			provider.packets = [][]byte{from.hall.recorded.silence}
		}
		track.OnBind(func() { _ = track.StartWrite(provider, nil) })
		if _, err := who.PublishTrack(track, &lksdk.TrackPublicationOptions{Source: livekit.TrackSource_MICROPHONE}); err != nil {
			return err
		}
	}
	if wish.Video {
		if err := publishPictures(who, camera, livekit.TrackSource_CAMERA, from); err != nil {
			return err
		}
	}
	if wish.Share {
		return publishPictures(who, screen, livekit.TrackSource_SCREEN_SHARE, from)
	}
	return nil
}

func publishPictures(who *lksdk.LocalParticipant, layers []layer, source livekit.TrackSource, from *seat) error {
	var tracks []*lksdk.LocalTrack
	capability := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90000}
	var recorded pictures // of the largest layer in the end, which comes last
	for _, one := range layers {
		recorded = from.hall.recorded.pictures[one.kind]
		provider := &frames{seat: from, kind: one.kind, recorded: recorded}
		options := []lksdk.LocalTrackOptions{lksdk.WithRTCPHandler(provider.heard)}
		if len(layers) > 1 {
			size := &livekit.VideoLayer{Quality: one.quality, Width: recorded.width, Height: recorded.height, Bitrate: uint32(recorded.bits)}
			options = append(options, lksdk.WithSimulcast(source.String(), size))
		}
		track, err := lksdk.NewLocalTrack(capability, options...)
		if err != nil {
			return err
		}
		track.OnBind(func() { _ = track.StartWrite(provider, nil) })
		tracks = append(tracks, track)
	}
	options := &lksdk.TrackPublicationOptions{Source: source, VideoWidth: int(recorded.width), VideoHeight: int(recorded.height)}
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

// run brings everybody, lets the meeting get under way, and counts.
func run(wish Wish, what *recording) Report {
	go widen()
	all := newHall(len(wish.People), what)
	var rooms []*lksdk.Room
	var made []Visited
	var visiting *visitor
	if wish.PerSecond == 0 {
		var err error
		if visiting, err = newVisitor(); err != nil {
			fmt.Fprintln(os.Stderr, "load: no visitor can come:", err)
			os.Exit(1)
		}
		defer visiting.close()
	}
	var group sync.WaitGroup
	for number, who := range wish.People {
		if visiting != nil && number > 0 {
			one, err := visiting.visit(Visit{wish.URL, wish.Link, who.Name, who.Token, all.identity(who.Large)})
			if err != nil {
				one.Failed = err.Error()
			}
			if one.Failed != "" {
				all.fail(errors.New(one.Failed))
			}
			made = append(made, one)
			time.Sleep(apart)
		}
		group.Go(func() {
			room := all.enter(wish, number)
			if room == nil {
				all.seats[number].sees.done()
				all.seats[number].there.done()
				return
			}
			all.mutex.Lock()
			defer all.mutex.Unlock()
			rooms = append(rooms, room)
		})
		if wish.PerSecond > 0 {
			time.Sleep(time.Duration(float64(time.Second) / wish.PerSecond))
		} else {
			if number == 0 { // who sees nobody, and is there for nobody, before the second is there
				group.Wait()
			} else {
				await([]event{all.seats[number].sees, all.seats[number].there}, patience)
			}
			time.Sleep(apart)
		}
	}
	group.Wait()
	var sights []event
	for _, one := range all.seats {
		sights = append(sights, one.sees)
	}
	await(sights, settling)
	time.Sleep(time.Duration(wish.Pause * float64(time.Second)))
	processors(len(wish.People), present)
	go func() {
		if err := gather(); err != nil {
			all.fail(err)
		}
	}()
	begun, used, full := time.Now(), cpuSeconds(), overflowed()
	fmt.Fprintln(os.Stderr, "counting")
	all.counting.Store(true)
	time.Sleep(time.Duration(wish.Seconds * float64(time.Second)))
	all.counting.Store(false)
	fmt.Fprintln(os.Stderr, "counted")
	seconds, cpu := time.Since(begun).Seconds(), cpuSeconds()-used
	// What is still on its way; later it would be of no use to anybody.
	time.Sleep(time.Second)
	report := all.report(wish)
	report.Visits = made
	report.Seconds, report.CPU, report.Overflowed = seconds, cpu, overflowed()-full
	for _, room := range rooms {
		room.Disconnect()
	}
	return report
}

func (h *hall) report(wish Wish) Report {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	made := Report{People: make([]Attended, len(wish.People)), Failed: h.failed}
	for number := range wish.People {
		sent := &h.seats[number].sent
		made.People[number] = Attended{
			Came:  h.came[number],
			Place: h.place[number],
			First: h.first[number],
			Sent:  Sent{sent[voice].Load(), sent[small].Load(), sent[large].Load(), sent[shared].Load()},
		}
	}
	type pair struct{ from, to int }
	cameras := map[pair]int64{}
	for _, one := range h.tallies {
		if one.sum() > 0 {
			made.Tracks++
		}
		if one.came[voice].Load() > 0 {
			made.Sounds++
		}
		got := &made.People[one.to].Got
		got.Sound += one.came[voice].Load()
		got.Pictures += one.came[shared].Load()
		made.Small += one.came[small].Load()
		made.Large += one.came[large].Load()
		cameras[pair{one.from, one.to}] += one.came[small].Load() + one.came[large].Load()
	}
	for who, came := range cameras {
		sent := made.People[who.from].Sent
		most := sent.Small
		if wish.People[who.to].Large == who.from {
			most = sent.Large
		}
		made.People[who.to].Got.Pictures += min(came, most)
	}
	return made
}

func (t *tally) sum() int64 {
	var sum int64
	for what := range t.came {
		sum += t.came[what].Load()
	}
	return sum
}

func main() {
	lksdk.SetLogger(logger.LogRLogger(logr.Discard()))
	if len(os.Args) > 1 && os.Args[1] == asVisitor {
		if err := visits(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "load: no visit to be read:", err)
			os.Exit(2)
		}
		return
	}
	var wish Wish
	if err := json.NewDecoder(os.Stdin).Decode(&wish); err != nil {
		fmt.Fprintln(os.Stderr, "load: no wish to be read:", err)
		os.Exit(2)
	}
	// What it costs is to be less than what it measures: memory is cheaper here than collecting it.
	debug.SetGCPercent(400)
	processors(len(wish.People), arriving)
	what, err := recorded(wish.Recorded)
	if err != nil {
		fmt.Fprintln(os.Stderr, "load: no recording to be read:", err)
		os.Exit(2)
	}
	if err := json.NewEncoder(os.Stdout).Encode(run(wish, what)); err != nil {
		os.Exit(1)
	}
}
