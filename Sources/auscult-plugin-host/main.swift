import PluginHost

HostProgram.main()
