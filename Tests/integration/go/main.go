// Go's own ttRPC client against the daemon: what a client of another make sees.
//
//	auscult-go -socket PATH               checks, each printed; exits with 1 at the first difference
//	auscult-go -socket PATH -bench N      times N unary calls; JSON with every one of them in microseconds
//	auscult-go -serve PATH                Go's own server with the method that -bench calls, to compare with
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"sort"
	"time"

	"github.com/containerd/ttrpc"
)

func main() {
	socket := flag.String("socket", os.Getenv("AUSCULT_SOCKET"), "the daemon's socket")
	bench := flag.Int("bench", 0, "unary calls to time")
	name := flag.String("name", "x", "what -bench asks auscult.v1.Model/Info for")
	serve := flag.String("serve", "", "where to serve")
	flag.Parse()

	var err error
	switch {
	case *serve != "":
		err = runServer(*serve)
	case *socket == "":
		err = fmt.Errorf("no socket: give -socket PATH or set AUSCULT_SOCKET")
	case *bench > 0:
		err = runBench(*socket, *name, *bench)
	default:
		err = runChecks(*socket)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "auscult-go:", err)
		os.Exit(1)
	}
}

func connect(path string) (*ttrpc.Client, error) {
	connection, err := net.Dial("unix", path)
	if err != nil {
		return nil, err
	}
	return ttrpc.NewClient(connection), nil
}

type report struct {
	Calls        int       `json:"calls"`
	P50          float64   `json:"p50"`
	P99          float64   `json:"p99"`
	Microseconds []float64 `json:"microseconds"`
}

func runBench(path, name string, count int) error {
	client, err := connect(path)
	if err != nil {
		return err
	}
	defer client.Close()
	call := func() error {
		var info modelInfo
		return client.Call(context.Background(), "auscult.v1.Model", "Info", &modelRef{Name: name}, &info)
	}
	for i := 0; i < 100; i++ {
		if err := call(); err != nil {
			return err
		}
	}
	times := make([]float64, count)
	for i := range times {
		began := time.Now()
		if err := call(); err != nil {
			return err
		}
		times[i] = float64(time.Since(began).Nanoseconds()) / 1e3
	}
	sorted := append([]float64(nil), times...)
	sort.Float64s(sorted)
	at := func(part float64) float64 { return sorted[int(part*float64(count-1))] }
	return json.NewEncoder(os.Stdout).Encode(report{count, at(0.5), at(0.99), times})
}

func runServer(path string) error {
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.Register("auscult.v1.Model", map[string]ttrpc.Method{
		"Info": func(ctx context.Context, unmarshal func(interface{}) error) (interface{}, error) {
			var request modelRef
			if err := unmarshal(&request); err != nil {
				return nil, err
			}
			return &modelInfo{Name: request.Name}, nil
		},
	})
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	return server.Serve(context.Background(), listener)
}
