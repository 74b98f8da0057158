package main

import "fmt"

// What the protobuf library asks of a message that is sent or received by itself.

func (m *empty) Reset()         { *m = empty{} }
func (m *empty) String() string { return fmt.Sprintf("%+v", *m) }
func (*empty) ProtoMessage()    {}

func (m *healthCheckRequest) Reset()         { *m = healthCheckRequest{} }
func (m *healthCheckRequest) String() string { return fmt.Sprintf("%+v", *m) }
func (*healthCheckRequest) ProtoMessage()    {}

func (m *healthCheckResponse) Reset()         { *m = healthCheckResponse{} }
func (m *healthCheckResponse) String() string { return fmt.Sprintf("%+v", *m) }
func (*healthCheckResponse) ProtoMessage()    {}

func (m *daemonStatus) Reset()         { *m = daemonStatus{} }
func (m *daemonStatus) String() string { return fmt.Sprintf("%+v", *m) }
func (*daemonStatus) ProtoMessage()    {}

func (m *modelList) Reset()         { *m = modelList{} }
func (m *modelList) String() string { return fmt.Sprintf("%+v", *m) }
func (*modelList) ProtoMessage()    {}

func (m *modelRef) Reset()         { *m = modelRef{} }
func (m *modelRef) String() string { return fmt.Sprintf("%+v", *m) }
func (*modelRef) ProtoMessage()    {}

func (m *modelInfo) Reset()         { *m = modelInfo{} }
func (m *modelInfo) String() string { return fmt.Sprintf("%+v", *m) }
func (*modelInfo) ProtoMessage()    {}

func (m *transcribeRequest) Reset()         { *m = transcribeRequest{} }
func (m *transcribeRequest) String() string { return fmt.Sprintf("%+v", *m) }
func (*transcribeRequest) ProtoMessage()    {}

func (m *transcript) Reset()         { *m = transcript{} }
func (m *transcript) String() string { return fmt.Sprintf("%+v", *m) }
func (*transcript) ProtoMessage()    {}

func (m *detectLanguageRequest) Reset()         { *m = detectLanguageRequest{} }
func (m *detectLanguageRequest) String() string { return fmt.Sprintf("%+v", *m) }
func (*detectLanguageRequest) ProtoMessage()    {}

func (m *languageProbabilities) Reset()         { *m = languageProbabilities{} }
func (m *languageProbabilities) String() string { return fmt.Sprintf("%+v", *m) }
func (*languageProbabilities) ProtoMessage()    {}

func (m *tokenizeRequest) Reset()         { *m = tokenizeRequest{} }
func (m *tokenizeRequest) String() string { return fmt.Sprintf("%+v", *m) }
func (*tokenizeRequest) ProtoMessage()    {}

func (m *tokenList) Reset()         { *m = tokenList{} }
func (m *tokenList) String() string { return fmt.Sprintf("%+v", *m) }
func (*tokenList) ProtoMessage()    {}
