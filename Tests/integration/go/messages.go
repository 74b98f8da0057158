package main

import "fmt"

// The messages that are used here, as much of them as is looked at. ttrpc 1.1 marshals with gogo/protobuf, which reads
// these tags; generated code is not needed.

type healthCheckRequest struct {
	Service string `protobuf:"bytes,1,opt,name=service,proto3"`
}

type healthCheckResponse struct {
	Status int32 `protobuf:"varint,1,opt,name=status,proto3"`
}

type empty struct{}

type daemonStatus struct {
	Version         string      `protobuf:"bytes,1,opt,name=version,proto3"`
	Pid             uint32      `protobuf:"varint,2,opt,name=pid,proto3"`
	Socket          string      `protobuf:"bytes,3,opt,name=socket,proto3"`
	Connections     uint32      `protobuf:"varint,9,opt,name=connections,proto3"`
	ConnectionLimit uint32      `protobuf:"varint,10,opt,name=connection_limit,proto3"`
	Calls           []*callInfo `protobuf:"bytes,11,rep,name=calls,proto3"`
}

type callInfo struct {
	Method string `protobuf:"bytes,2,opt,name=method,proto3"`
}

type modelRef struct {
	Name string `protobuf:"bytes,1,opt,name=name,proto3"`
}

type modelInfo struct {
	Name string `protobuf:"bytes,1,opt,name=name,proto3"`
}

type modelList struct {
	Models []*modelListing `protobuf:"bytes,1,rep,name=models,proto3"`
}

type modelListing struct {
	Name  string `protobuf:"bytes,1,opt,name=name,proto3"`
	State int32  `protobuf:"varint,2,opt,name=state,proto3"`
}

type transcribeRequest struct {
	Model *modelRef    `protobuf:"bytes,1,opt,name=model,proto3"`
	Audio *audioSource `protobuf:"bytes,2,opt,name=audio,proto3"`
}

// The source is a oneof; on the wire the one that is set is a field like any other.
type audioSource struct {
	Clip string `protobuf:"bytes,2,opt,name=clip,proto3"`
}

type transcript struct {
	Duration float64    `protobuf:"fixed64,2,opt,name=duration,proto3"`
	Language string     `protobuf:"bytes,3,opt,name=language,proto3"`
	Text     string     `protobuf:"bytes,4,opt,name=text,proto3"`
	Segments []*segment `protobuf:"bytes,5,rep,name=segments,proto3"`
}

type segment struct {
	Text   string  `protobuf:"bytes,5,opt,name=text,proto3"`
	Tokens []int32 `protobuf:"varint,6,rep,packed,name=tokens,proto3"`
}

func (m *healthCheckRequest) Reset()          { *m = healthCheckRequest{} }
func (m *healthCheckRequest) String() string  { return fmt.Sprintf("%+v", *m) }
func (m *healthCheckRequest) ProtoMessage()   {}
func (m *healthCheckResponse) Reset()         { *m = healthCheckResponse{} }
func (m *healthCheckResponse) String() string { return fmt.Sprintf("%+v", *m) }
func (m *healthCheckResponse) ProtoMessage()  {}
func (m *empty) Reset()                       { *m = empty{} }
func (m *empty) String() string               { return "{}" }
func (m *empty) ProtoMessage()                {}
func (m *daemonStatus) Reset()                { *m = daemonStatus{} }
func (m *daemonStatus) String() string        { return fmt.Sprintf("%+v", *m) }
func (m *daemonStatus) ProtoMessage()         {}
func (m *callInfo) Reset()                    { *m = callInfo{} }
func (m *callInfo) String() string            { return fmt.Sprintf("%+v", *m) }
func (m *callInfo) ProtoMessage()             {}
func (m *modelRef) Reset()                    { *m = modelRef{} }
func (m *modelRef) String() string            { return fmt.Sprintf("%+v", *m) }
func (m *modelRef) ProtoMessage()             {}
func (m *modelInfo) Reset()                   { *m = modelInfo{} }
func (m *modelInfo) String() string           { return fmt.Sprintf("%+v", *m) }
func (m *modelInfo) ProtoMessage()            {}
func (m *modelList) Reset()                   { *m = modelList{} }
func (m *modelList) String() string           { return fmt.Sprintf("%+v", *m) }
func (m *modelList) ProtoMessage()            {}
func (m *modelListing) Reset()                { *m = modelListing{} }
func (m *modelListing) String() string        { return fmt.Sprintf("%+v", *m) }
func (m *modelListing) ProtoMessage()         {}
func (m *transcribeRequest) Reset()           { *m = transcribeRequest{} }
func (m *transcribeRequest) String() string   { return fmt.Sprintf("%+v", *m) }
func (m *transcribeRequest) ProtoMessage()    {}
func (m *audioSource) Reset()                 { *m = audioSource{} }
func (m *audioSource) String() string         { return fmt.Sprintf("%+v", *m) }
func (m *audioSource) ProtoMessage()          {}
func (m *transcript) Reset()                  { *m = transcript{} }
func (m *transcript) String() string          { return fmt.Sprintf("%+v", *m) }
func (m *transcript) ProtoMessage()           {}
func (m *segment) Reset()                     { *m = segment{} }
func (m *segment) String() string             { return fmt.Sprintf("%+v", *m) }
func (m *segment) ProtoMessage()              {}
