// A client of auscultd in Go, with containerd's ttRPC: it shows that the daemon speaks the protocol as its first
// implementation does.
//
//	auscult-go -socket PATH -expect TEXT    checks the daemon at PATH; TEXT is what is said in the clip en-slt-01
//	auscult-go -socket PATH -bench N        times N calls of auscult.v1.Model/Info of the default model, one after another
//	auscult-go -serve PATH                  answers auscult.v1.Model/Info with the name that it was asked about
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/containerd/ttrpc"
)

func main() {
	socket := flag.String("socket", "", "the Unix socket of the daemon or server to call")
	expect := flag.String("expect", "", "the transcript of the clip en-slt-01; space around it does not count")
	bench := flag.Int("bench", 0, "time so many calls instead of checking")
	serve := flag.String("serve", "", "be a server at this Unix socket instead")
	flag.Parse()

	var err error
	switch {
	case flag.NArg() > 0:
		err = fmt.Errorf("expected options only, got %q", flag.Args())
	case *serve != "":
		err = runServer(*serve)
	case *socket == "":
		err = fmt.Errorf("expected -socket PATH or -serve PATH")
	case *bench < 0:
		err = fmt.Errorf("expected a number of calls above 0 for -bench, got %d", *bench)
	case *bench > 0:
		err = runBench(*socket, *bench)
	case *expect == "":
		err = fmt.Errorf("expected -expect TEXT, the transcript of the clip en-slt-01")
	default:
		err = runChecks(*socket, *expect)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "auscult-go:", err)
		os.Exit(1)
	}
}

// connect waits up to ten seconds for somebody to listen at the socket.
func connect(socket string, options ...ttrpc.ClientOpts) (*ttrpc.Client, error) {
	patience := time.Now().Add(10 * time.Second)
	for {
		connection, err := net.Dial("unix", socket)
		if err == nil {
			return ttrpc.NewClient(connection, options...), nil
		}
		if time.Now().After(patience) {
			return nil, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
