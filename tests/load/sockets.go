package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// What a socket may hold that nobody has read yet, in bytes: seconds of all that one person is sent.
	waits = 4 << 20
	// As SO_RCVBUF, but past the limit of net.core.rmem_max, for root (socket(7)).
	receiveBufferForce = 33
	socketsEvery       = 200 * time.Millisecond
)

// widen lets all datagram sockets of this program hold more, as long as it runs: the libraries have no
// option for it. A browser has a machine of its own, or a few processors, and reads what comes at once;
// here a whole crowd shares what the server leaves it, and what it has not read yet is not lost on the way.
func widen() {
	for {
		if open, err := os.ReadDir("/proc/self/fd"); err == nil {
			for _, one := range open {
				if number, err := strconv.Atoi(one.Name()); err == nil {
					widenSocket(number)
				}
			}
		}
		time.Sleep(socketsEvery)
	}
}

// widenSocket does so where `number` is such a socket; it may have been closed meanwhile.
func widenSocket(number int) {
	kind, err := syscall.GetsockoptInt(number, syscall.SOL_SOCKET, syscall.SO_TYPE)
	if err != nil || kind != syscall.SOCK_DGRAM {
		return
	}
	if syscall.SetsockoptInt(number, syscall.SOL_SOCKET, receiveBufferForce, waits) != nil {
		_ = syscall.SetsockoptInt(number, syscall.SOL_SOCKET, syscall.SO_RCVBUF, waits)
	}
}

// overflowed counts the packets that found a socket full, of all in this network, since it was made
// (RcvbufErrors of RFC 4113's Linux extension, /proc/net/snmp).
func overflowed() int64 {
	content, err := os.ReadFile("/proc/self/net/snmp")
	if err != nil {
		return 0
	}
	var names []string
	for line := range strings.Lines(string(content)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for place, name := range names {
			if name == "RcvbufErrors" && place < len(fields) {
				count, _ := strconv.ParseInt(fields[place], 10, 64)
				return count
			}
		}
	}
	return 0
}
