package main

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
)

// Calls as any client makes them, and errors as it gets them.
var unaryChecks = []check{
	{"unary health: the daemon is SERVING", func(d *daemon) error { return d.isServing(context.Background()) }},
	{"unary health: NOT_FOUND for a service that is not there", func(d *daemon) error {
		request := healthCheckRequest{Service: "no.such.Service"}
		err := d.call("grpc.health.v1.Health", "Check", &request, &healthCheckResponse{})
		return expectStatus(err, codes.NotFound, "there is no service no.such.Service")
	}},
	{"unary status: a version, a process, and the socket that was called", func(d *daemon) error {
		answer := daemonStatus{}
		if err := d.call("auscult.v1.Daemon", "Status", &empty{}, &answer); err != nil {
			return err
		}
		if answer.Version == "" || answer.Pid == 0 || answer.Socket != d.socket {
			return fmt.Errorf("expected a version, a process and the socket %s, got %v", d.socket, &answer)
		}
		return nil
	}},
	{"unary models: the embedded one is listed as default", func(d *daemon) error {
		answer := modelList{}
		if err := d.call("auscult.v1.Model", "List", &empty{}, &answer); err != nil {
			return err
		}
		names := []string{}
		for _, model := range answer.Models {
			if model.Name == "default" && model.State == embedded {
				return nil
			}
			names = append(names, model.Name)
		}
		return fmt.Errorf("expected an embedded model called default among %q", names)
	}},
	{"unary transcribe: the transcript of a clip is what the command line prints", func(d *daemon) error {
		request := transcribeRequest{Audio: &audioSource{Clip: "en-slt-01"}}
		answer := transcript{}
		if err := d.call("auscult.v1.Transcribe", "Transcribe", &request, &answer); err != nil {
			return err
		}
		if strings.TrimSpace(answer.Text) != strings.TrimSpace(d.expect) {
			return fmt.Errorf("expected %q, got %q", d.expect, answer.Text)
		}
		if answer.Language != "en" || math.Abs(answer.Duration-2.4) > 0.05 {
			return fmt.Errorf("expected 2.4 s of en, got %v s of %s", answer.Duration, answer.Language)
		}
		return nil
	}},
	{"errors: NOT_FOUND with the daemon's message for a model that is not there", func(d *daemon) error {
		audio := audioSource{Clip: "en-slt-01"}
		request := transcribeRequest{Model: &modelRef{Name: "nosuch"}, Audio: &audio}
		err := d.call("auscult.v1.Transcribe", "Transcribe", &request, &transcript{})
		return expectStatus(err, codes.NotFound, "no model is called nosuch; there are: default")
	}},
	{"errors: UNIMPLEMENTED for a method that is not there", func(d *daemon) error {
		err := d.call("auscult.v1.Daemon", "Nosuch", &empty{}, &empty{})
		return expectStatus(err, codes.Unimplemented, "the service auscult.v1.Daemon has no method Nosuch")
	}},
	{"errors: UNIMPLEMENTED for a service that is not there", func(d *daemon) error {
		err := d.call("no.such.Service", "Status", &empty{}, &empty{})
		return expectStatus(err, codes.Unimplemented, "there is no service no.such.Service")
	}},
	{"metadata: a call with several values of a key is answered", func(d *daemon) error {
		metadata := ttrpc.MD{"client": {"auscult-go"}, "trace": {"one", "two", ""}}
		return d.isServing(ttrpc.WithMetadata(context.Background(), metadata))
	}},
}
