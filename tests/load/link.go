package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// follow comes in by an invitation as the box's page does: it asks for the house, for what the link
// leads to, and for a place. It returns LiveKit's address and a token.
func follow(link, name string) (url, token string, err error) {
	page, invitation, found := strings.Cut(link, "#i=")
	door, _, known := strings.Cut(page, "/m/")
	if !found || !known {
		return "", "", fmt.Errorf("%s is no invitation", link)
	}
	// Everybody has a browser of their own, with connections of its own.
	browser := &http.Client{Transport: &http.Transport{ForceAttemptHTTP2: true}, Timeout: 30 * time.Second}
	defer browser.CloseIdleConnections()
	if err := ask(browser, http.MethodGet, door+"/api/house", nil, nil); err != nil {
		return "", "", err
	}
	asked := map[string]any{"invitation": invitation}
	if err := ask(browser, http.MethodPost, door+"/api/look", asked, nil); err != nil {
		return "", "", err
	}
	asked["name"], asked["notice_seen"] = name, true
	var entry struct {
		State string
		Place struct{ URL, Token string }
	}
	if err := ask(browser, http.MethodPost, door+"/api/enter", asked, &entry); err != nil {
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
