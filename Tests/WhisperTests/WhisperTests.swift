import Testing
import Whisper
