package main

import (
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

const (
	// For how long packets gather before they are read.
	gathering = 2 * time.Millisecond
	// Who has read for longer than this has no time to wait for more.
	behind = 3 * time.Millisecond
)

// gather lets packets come together and has all of them read at once, as network cards do for their machine
// (ethtool(8), coalescing). Otherwise the server wakes this program at each packet, thousands of times a second,
// and both pay for it: on machines of their own it would wake nobody.
//
// It needs the only thread that runs Go: while that sleeps, nobody looks for packets.
func gather() error {
	from, to, err := os.Pipe()
	if err != nil {
		return err
	}
	pause := syscall.NsecToTimespec(gathering.Nanoseconds())
	one, begun := make([]byte, 1), time.Now()
	for {
		// Waiting for what another one writes, it comes again after all packets there are now ...
		go func() { _, _ = to.Write([]byte{0}) }()
		if _, err := from.Read(one); err != nil {
			return err
		}
		// ... and once nobody has anything left to do with them.
		runtime.Gosched()
		if runtime.GOMAXPROCS(0) == 1 && time.Since(begun) < behind {
			// Not syscall.Nanosleep: for that, the scheduler would let another thread look for packets.
			_, _, _ = syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&pause)), 0, 0)
		}
		begun = time.Now()
	}
}
