package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// guest is somebody whose browser has loaded the page of an invitation.
type guest struct {
	browser          *http.Client
	door, invitation string
}

// load loads the page that a link leads to.
func load(link string) (*guest, error) {
	page, invitation, found := strings.Cut(link, "#i=")
	door, _, known := strings.Cut(page, "/m/")
	if !found || !known {
		return nil, fmt.Errorf("%s is no invitation", link)
	}
	// Everybody has a browser of their own, with connections of its own.
	browser := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true}, Timeout: 30 * time.Second}
	return &guest{browser, door, invitation}, ask(browser, http.MethodGet, page, nil, nil)
}

// enter comes in as the page does: it asks for the house and for what the link leads to, both at once,
// and then for a place. It returns LiveKit's address and a token.
func (g *guest) enter(name string) (url, token string, err error) {
	defer g.browser.CloseIdleConnections()
	house := make(chan error, 1)
	go func() { house <- ask(g.browser, http.MethodGet, g.door+"/api/house", nil, nil) }()
	asked := map[string]any{"invitation": g.invitation}
	err = ask(g.browser, http.MethodPost, g.door+"/api/look", asked, nil)
	if err := errors.Join(<-house, err); err != nil {
		return "", "", err
	}
	asked["name"], asked["notice_seen"] = name, true
	var entry struct {
		State string
		Place struct{ URL, Token string }
	}
	if err := ask(g.browser, http.MethodPost, g.door+"/api/enter", asked, &entry); err != nil {
		return "", "", err
	}
	if entry.State != "admitted" {
		return "", "", fmt.Errorf("%s is %s", name, entry.State)
	}
	return entry.Place.URL, entry.Place.Token, nil
}

// ask sends one request of the page's; answer: where to put what comes back, nil: nowhere.
func ask(browser *http.Client, method, address string, content, answer any) error {
	var body io.Reader
	if content != nil {
		text, err := json.Marshal(content)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(context.Background(), method, address, body)
	if err != nil {
		return err
	}
	request.Header.Set("X-Ratssaal", "1")
	if content != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	got, err := browser.Do(request)
	if err != nil {
		return err
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil {
		return err
	}
	if got.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s", address, got.Status, text)
	}
	if answer == nil {
		return nil
	}
	return json.Unmarshal(text, answer)
}
