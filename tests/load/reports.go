package main

import (
	"strings"
	"time"

	lkinterceptor "github.com/livekit/mediatransportutil/pkg/interceptor"
	lksdk "github.com/livekit/server-sdk-go/v2"
	sdkinterceptor "github.com/livekit/server-sdk-go/v2/pkg/interceptor"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/nack"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/interceptor/pkg/twcc"
)

// How often a browser says what it has received of a stream (libwebrtc, rtcp_sender.cc). The libraries do so
// every second for sounds as well: with 80 people 6000 packets a second that no browser sends.
const (
	soundReports   = 5 * time.Second
	pictureReports = time.Second
)

// reportsOf makes receiver reports (RFC 3550, section 6.4.2) for streams of one kind alone, `audio/` or `video/`.
type reportsOf struct {
	interceptor.Factory
	kind string
}

// NewInterceptor is called for each connection.
func (r reportsOf) NewInterceptor(id string) (interceptor.Interceptor, error) {
	made, err := r.Factory.NewInterceptor(id)
	return oneKind{made, r.kind}, err
}

type oneKind struct {
	interceptor.Interceptor
	kind string
}

// BindRemoteStream passes what is of another kind by.
func (o oneKind) BindRemoteStream(info *interceptor.StreamInfo, reader interceptor.RTPReader) interceptor.RTPReader {
	if !strings.HasPrefix(strings.ToLower(info.MimeType), o.kind) {
		return reader
	}
	return o.Interceptor.BindRemoteStream(info, reader)
}

// interceptors are the library's own, but for how often they report.
func interceptors() ([]interceptor.Factory, error) {
	responder, err := nack.NewResponderInterceptor()
	if err != nil {
		return nil, err
	}
	made := []interceptor.Factory{&sdkinterceptor.NackGeneratorInterceptorFactory{}, responder}
	for kind, every := range map[string]time.Duration{"audio/": soundReports, "video/": pictureReports} {
		receiver, err := report.NewReceiverInterceptor(report.ReceiverInterval(every))
		if err != nil {
			return nil, err
		}
		made = append(made, reportsOf{receiver, kind})
	}
	sender, err := report.NewSenderInterceptor()
	if err != nil {
		return nil, err
	}
	feedback, err := twcc.NewSenderInterceptor()
	if err != nil {
		return nil, err
	}
	times := lkinterceptor.NewRTTFromXRFactory(func(uint32) {})
	return append(made, sender, feedback, sdkinterceptor.NewLimitSizeInterceptorFactory(), times), nil
}

// connect brings somebody with this token into his room.
func connect(url, token string, callback *lksdk.RoomCallback) (*lksdk.Room, error) {
	like, err := interceptors()
	if err != nil {
		return nil, err
	}
	return lksdk.ConnectToRoomWithToken(
		url, token, callback, lksdk.WithDisableRegionDiscovery(), lksdk.WithInterceptors(like),
	)
}
