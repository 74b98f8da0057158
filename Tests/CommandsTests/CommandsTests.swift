import Testing
import Commands
