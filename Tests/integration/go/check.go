package main

import (
	"context"
	"fmt"
	"time"

	"github.com/containerd/ttrpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// How long any one call may take before it counts as hanging; far above what a loaded machine needs.
const patience = 2 * time.Minute

// daemon is one connection to the daemon that is checked.
type daemon struct {
	*ttrpc.Client
	socket string
	expect string
}

// check is one sentence about the daemon; run gives nil where it is true.
type check struct {
	name string
	run  func(*daemon) error
}

// runChecks makes all checks on one connection, in order, also after a failure, and prints a line for each.
func runChecks(socket, expect string) error {
	client, err := connect(socket)
	if err != nil {
		return err
	}
	defer client.Close()
	d := &daemon{client, socket, expect}
	passed, failed := 0, 0
	for _, check := range append(unaryChecks, limitChecks...) {
		if err := check.run(d); err != nil {
			failed++
			fmt.Printf("FAILED %s: %v\n", check.name, err)
		} else {
			passed++
			fmt.Printf("ok %s\n", check.name)
		}
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, passed+failed)
	}
	return nil
}

// call makes a unary call without a deadline on the wire.
func (d *daemon) call(service, method string, request, answer interface{}) error {
	return d.callWith(context.Background(), service, method, request, answer)
}

// callWith makes a unary call, and fails rather than hangs where no answer comes.
func (d *daemon) callWith(ctx context.Context, service, method string, request, answer interface{}) error {
	// The clock is not in the context, since the client would send its deadline along.
	ended := make(chan error, 1)
	go func() { ended <- d.Call(ctx, service, method, request, answer) }()
	select {
	case err := <-ended:
		return err
	case <-time.After(patience):
		return fmt.Errorf("no answer to %s/%s after %v", service, method, patience)
	}
}

// isServing asks for the daemon's health.
func (d *daemon) isServing(ctx context.Context) error {
	answer := healthCheckResponse{}
	if err := d.callWith(ctx, "grpc.health.v1.Health", "Check", &healthCheckRequest{}, &answer); err != nil {
		return err
	}
	if answer.Status != serving {
		return fmt.Errorf("expected SERVING (%d), got %d", serving, answer.Status)
	}
	return nil
}

// expectStatus says how an error differs from a status of the daemon with this code and message.
func expectStatus(err error, code codes.Code, message string) error {
	if err == nil {
		return fmt.Errorf("expected %v, got an answer", code)
	}
	got, ok := status.FromError(err)
	if !ok {
		return fmt.Errorf("expected the status %v, got an error without one: %v", code, err)
	}
	if got.Code() != code {
		return fmt.Errorf("expected %v, got %v: %s", code, got.Code(), got.Message())
	}
	if got.Message() != message {
		return fmt.Errorf("expected the message %q, got %q", message, got.Message())
	}
	return nil
}
