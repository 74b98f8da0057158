import Testing
import Audio
