package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/containerd/ttrpc"
)

// Calls that are not counted, while caches and connections warm up.
const warmUp = 100

// The model that is asked about: a daemon has it, and a server that only answers what it was asked does not care.
const benchModel = "default"

// runBench prints {"microseconds": […]}, one figure for each call.
func runBench(socket string, count int) error {
	client, err := connect(socket)
	if err != nil {
		return err
	}
	defer client.Close()
	microseconds := make([]float64, 0, count)
	for index := 0; index < warmUp+count; index++ {
		answer := modelInfo{}
		began := time.Now()
		err := client.Call(context.Background(), "auscult.v1.Model", "Info", &modelRef{Name: benchModel}, &answer)
		took := time.Since(began)
		if err != nil {
			return fmt.Errorf("call %d of auscult.v1.Model/Info: %w", index, err)
		}
		if answer.Name != benchModel {
			return fmt.Errorf("call %d of auscult.v1.Model/Info: expected the name %q, got %q", index, benchModel, answer.Name)
		}
		if index >= warmUp {
			microseconds = append(microseconds, float64(took.Nanoseconds())/1e3)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string][]float64{"microseconds": microseconds})
}

// runServer serves until it is killed.
func runServer(path string) error {
	server, err := ttrpc.NewServer()
	if err != nil {
		return err
	}
	server.Register("auscult.v1.Model", map[string]ttrpc.Method{
		"Info": func(_ context.Context, unmarshal func(interface{}) error) (interface{}, error) {
			request := modelRef{}
			if err := unmarshal(&request); err != nil {
				return nil, err
			}
			return &modelInfo{Name: request.Name}, nil
		},
	})
	// A socket that an earlier server left behind; anything else stays, and listening says so.
	if found, err := os.Lstat(path); err == nil && found.Mode()&os.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	return server.Serve(context.Background(), listener)
}
