package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Time, numbers and sizes.
var limitChecks = []check{
	{"deadline: a context's deadline ends a call, and the connection goes on", func(d *daemon) error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		err := d.callWith(ctx, "auscult.v1.Transcribe", "Transcribe", &longRequest, &transcript{})
		// The client has the same clock; which of the two is first is chance.
		if !errors.Is(err, context.DeadlineExceeded) && status.Code(err) != codes.DeadlineExceeded {
			return fmt.Errorf("expected that the deadline is exceeded, got %v", err)
		}
		return d.isServing(context.Background())
	}},
	{"deadline: the daemon ends a call by itself, and the connection goes on", serverDeadline},
	{"concurrency: 100 calls at once on one connection each get their own answer", concurrentCalls},
	{"size: a text of 3 MiB there and back", func(d *daemon) error {
		name := strings.Repeat("samples-", 3<<20/8)
		request := transcribeRequest{Audio: &audioSource{Clip: "en-slt-01", Name: name}}
		answer := transcript{}
		if err := d.call("auscult.v1.Transcribe", "Transcribe", &request, &answer); err != nil {
			return err
		}
		if answer.File != name {
			return fmt.Errorf("expected the recording's name of %d bytes, got %d bytes", len(name), len(answer.File))
		}
		return nil
	}},
	{"size: 3 MiB of samples", func(d *daemon) error {
		request := detectLanguageRequest{Audio: &audioSource{PcmS16le: make([]byte, 3<<20)}}
		answer := languageProbabilities{}
		if err := d.call("auscult.v1.Transcribe", "DetectLanguage", &request, &answer); err != nil {
			return err
		}
		sum := 0.0
		for _, language := range answer.Languages {
			sum += float64(language.Probability)
		}
		if math.Abs(sum-1) > 1e-3 {
			return fmt.Errorf("expected probabilities that add up to 1, got %v of %d languages", sum, len(answer.Languages))
		}
		return nil
	}},
}

// A recording that takes far longer than a millisecond.
var longRequest = transcribeRequest{Audio: &audioSource{Clip: "en-long-01"}}

// serverDeadline sends a deadline that the client itself does not keep.
func serverDeadline(d *daemon) error {
	deadline := func(
		ctx context.Context, request *ttrpc.Request, answer *ttrpc.Response, _ *ttrpc.UnaryClientInfo, invoke ttrpc.Invoker,
	) error {
		if request.Method == "Transcribe" {
			request.TimeoutNano = time.Millisecond.Nanoseconds()
		}
		return invoke(ctx, request, answer)
	}
	client, err := connect(d.socket, ttrpc.WithUnaryClientInterceptor(deadline))
	if err != nil {
		return err
	}
	defer client.Close()
	own := &daemon{client, d.socket, d.expect}
	err = own.call("auscult.v1.Transcribe", "Transcribe", &longRequest, &transcript{})
	if status.Code(err) != codes.DeadlineExceeded {
		return fmt.Errorf("expected DEADLINE_EXCEEDED from the daemon, got %v", err)
	}
	return own.isServing(context.Background())
}

// concurrentCalls splits 100 different texts into tokens, whose bytes are the text again.
func concurrentCalls(d *daemon) error {
	const count = 100
	ended := make(chan error, count)
	for index := 0; index < count; index++ {
		text := fmt.Sprintf(" %d goats are cold but the horse is famous", index)
		go func() {
			answer := tokenList{}
			if err := d.call("auscult.v1.Model", "Tokenize", &tokenizeRequest{Text: text}, &answer); err != nil {
				ended <- err
				return
			}
			parts := [][]byte{}
			for _, token := range answer.Tokens {
				parts = append(parts, token.Bytes)
			}
			if joined := string(bytes.Join(parts, nil)); joined != text {
				ended <- fmt.Errorf("expected tokens of %q, got tokens of %q", text, joined)
				return
			}
			ended <- nil
		}()
	}
	var first error
	for index := 0; index < count; index++ {
		if err := <-ended; err != nil && first == nil {
			first = err
		}
	}
	return first
}
