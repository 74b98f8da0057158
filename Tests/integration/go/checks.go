package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const serving = 1

// A check is named by the sentence that it proves.
type check struct {
	name string
	run  func(client *ttrpc.Client, path string) error
}

var checks = []check{
	{"health says SERVING, for the daemon and for each of its services", checkHealth},
	{"health of an unknown service is NOT_FOUND", checkUnknownHealth},
	{"the daemon's status names its version, its process and its socket", checkStatus},
	{"the embedded model is listed", checkModels},
	{"an unknown model is NOT_FOUND, by its name", checkUnknownModel},
	{"an unknown method and an unknown service are UNIMPLEMENTED", checkUnknownMethod},
	{"metadata are accepted", checkMetadata},
	{"100 calls at the same time on one connection are each answered", checkConcurrent},
	{"a demonstration clip is transcribed", checkTranscribe},
	{"a deadline ends a call", checkDeadline},
	{"a deadline that the client does not watch is kept by the daemon", checkServerDeadline},
	{"the connection works after all that", checkStatus},
}

func runChecks(path string) error {
	client, err := connect(path)
	if err != nil {
		return err
	}
	defer client.Close()
	for _, check := range checks {
		if err := check.run(client, path); err != nil {
			return fmt.Errorf("%s: %w", check.name, err)
		}
		fmt.Println("ok  ", check.name)
	}
	return nil
}

func background() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 2*time.Minute)
}

// expect compares an error's code, and looks for `part` in its message.
func expect(err error, code codes.Code, part string) error {
	if err == nil {
		return fmt.Errorf("succeeded; expected %v", code)
	}
	if got := status.Code(err); got != code {
		return fmt.Errorf("%v (%v); expected %v", got, err, code)
	}
	if !strings.Contains(status.Convert(err).Message(), part) {
		return fmt.Errorf("the message is %q; expected %q in it", status.Convert(err).Message(), part)
	}
	return nil
}

func health(client *ttrpc.Client, service string) (int32, error) {
	ctx, cancel := background()
	defer cancel()
	var response healthCheckResponse
	err := client.Call(ctx, "grpc.health.v1.Health", "Check", &healthCheckRequest{Service: service}, &response)
	return response.Status, err
}

func checkHealth(client *ttrpc.Client, _ string) error {
	for _, service := range []string{"", "auscult.v1.Daemon", "auscult.v1.Transcribe"} {
		state, err := health(client, service)
		if err != nil {
			return fmt.Errorf("of %q: %w", service, err)
		}
		if state != serving {
			return fmt.Errorf("of %q: %d; expected %d", service, state, serving)
		}
	}
	return nil
}

func checkUnknownHealth(client *ttrpc.Client, _ string) error {
	_, err := health(client, "no.such.Service")
	return expect(err, codes.NotFound, "no.such.Service")
}

func checkStatus(client *ttrpc.Client, path string) error {
	ctx, cancel := background()
	defer cancel()
	var found daemonStatus
	if err := client.Call(ctx, "auscult.v1.Daemon", "Status", &empty{}, &found); err != nil {
		return err
	}
	if found.Version == "" || found.Pid == 0 || found.Socket != path || found.Connections < 1 ||
		found.ConnectionLimit < found.Connections {
		return fmt.Errorf("%v", &found)
	}
	for _, call := range found.Calls {
		if call.Method == "auscult.v1.Daemon/Status" {
			return nil
		}
	}
	return fmt.Errorf("the call itself is not among its calls: %v", &found)
}

func checkModels(client *ttrpc.Client, _ string) error {
	ctx, cancel := background()
	defer cancel()
	var list modelList
	if err := client.Call(ctx, "auscult.v1.Model", "List", &empty{}, &list); err != nil {
		return err
	}
	const embedded = 1
	for _, model := range list.Models {
		if model.State == embedded {
			return nil
		}
	}
	return fmt.Errorf("none of %v", &list)
}

func checkUnknownModel(client *ttrpc.Client, _ string) error {
	ctx, cancel := background()
	defer cancel()
	err := client.Call(ctx, "auscult.v1.Model", "Info", &modelRef{Name: "no-such-model"}, &modelInfo{})
	return expect(err, codes.NotFound, "no-such-model")
}

func checkUnknownMethod(client *ttrpc.Client, _ string) error {
	ctx, cancel := background()
	defer cancel()
	err := client.Call(ctx, "auscult.v1.Daemon", "Fly", &empty{}, &empty{})
	if err := expect(err, codes.Unimplemented, "Fly"); err != nil {
		return err
	}
	err = client.Call(ctx, "no.such.Service", "Fly", &empty{}, &empty{})
	return expect(err, codes.Unimplemented, "no.such.Service")
}

func checkMetadata(client *ttrpc.Client, _ string) error {
	ctx, cancel := background()
	defer cancel()
	md := ttrpc.MD{}
	md.Set("trace-id", "1", "2")
	md.Set("empty", "")
	var found daemonStatus
	return client.Call(ttrpc.WithMetadata(ctx, md), "auscult.v1.Daemon", "Status", &empty{}, &found)
}

// The daemon allows 32 calls at once on a connection; what is refused past it is RESOURCE_EXHAUSTED, and tried again.
func checkConcurrent(client *ttrpc.Client, _ string) error {
	var group sync.WaitGroup
	failures := make(chan error, 100)
	for i := 0; i < 100; i++ {
		group.Add(1)
		go func(i int) {
			defer group.Done()
			name := fmt.Sprintf("no-such-model-%d-", i)
			for {
				ctx, cancel := background()
				err := client.Call(ctx, "auscult.v1.Model", "Info", &modelRef{Name: name}, &modelInfo{})
				cancel()
				if status.Code(err) == codes.ResourceExhausted {
					time.Sleep(time.Millisecond)
					continue
				}
				// Each with its own name: answers that went to the wrong call would show.
				if err := expect(err, codes.NotFound, name); err != nil {
					failures <- err
				}
				return
			}
		}(i)
	}
	group.Wait()
	close(failures)
	return <-failures
}

func checkTranscribe(client *ttrpc.Client, _ string) error {
	ctx, cancel := background()
	defer cancel()
	request := &transcribeRequest{Audio: &audioSource{Clip: "en-slt-01"}}
	var found transcript
	if err := client.Call(ctx, "auscult.v1.Transcribe", "Transcribe", request, &found); err != nil {
		return err
	}
	if strings.TrimSpace(found.Text) == "" || found.Language != "en" || found.Duration <= 0 || len(found.Segments) == 0 {
		return fmt.Errorf("%v", &found)
	}
	joined := ""
	for _, segment := range found.Segments {
		joined += segment.Text
	}
	if strings.TrimSpace(joined) != strings.TrimSpace(found.Text) {
		return fmt.Errorf("the segments say %q, the transcript %q", joined, found.Text)
	}
	fmt.Printf("     en-slt-01: %s\n", strings.TrimSpace(found.Text))
	return nil
}

func checkDeadline(client *ttrpc.Client, _ string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	request := &transcribeRequest{Audio: &audioSource{Clip: "en-slt-01"}}
	err := client.Call(ctx, "auscult.v1.Transcribe", "Transcribe", request, &transcript{})
	// Whoever is first: the client says so in Go's words, the daemon in gRPC's.
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return expect(err, codes.DeadlineExceeded, "")
}

// deadlineOnly has a deadline, and does not end by it: so what ends the call is the daemon's answer.
type deadlineOnly struct {
	context.Context
	deadline time.Time
}

func (c deadlineOnly) Deadline() (time.Time, bool) { return c.deadline, true }

func checkServerDeadline(client *ttrpc.Client, _ string) error {
	for _, left := range []time.Duration{2 * time.Millisecond, -time.Second} {
		ctx := deadlineOnly{context.Background(), time.Now().Add(left)}
		request := &transcribeRequest{Audio: &audioSource{Clip: "en-slt-01"}}
		err := client.Call(ctx, "auscult.v1.Transcribe", "Transcribe", request, &transcript{})
		if err := expect(err, codes.DeadlineExceeded, "deadline"); err != nil {
			return fmt.Errorf("with %v left: %w", left, err)
		}
	}
	return nil
}
