# Stands in for nixpkgs where it cannot be had: its real `lib` (put beside this file), and packages that are derivations
# of their names alone. What the flake asks for evaluates to a derivation; nothing here can be built.
{
  outputs =
    { self }:
    let
      lib = import ./lib;
      system = "x86_64-linux";
      make =
        name: more:
        derivation {
          inherit name system;
          builder = "/bin/sh";
          args = [ (builtins.toJSON more) ];
        }
        // {
          meta.mainProgram = name;
        };
      package = name: make name { };
      packages = lib.genAttrs [
        "bash"
        "bubblewrap"
        "coreutils"
        "diffutils"
        "findutils"
        "gawk"
        "git"
        "gnugrep"
        "gnupatch"
        "gnused"
        "gnutar"
        "gzip"
        "nixfmt-tree"
        "nodejs"
        "util-linux"
        "zlib"
      ] package;
    in
    {
      inherit lib;
      legacyPackages.${system} = packages // {
        python311 = package "python311" // {
          withPackages = choose: make "python311-env" { chosen = choose { packaging = package "packaging"; }; };
        };
        stdenv = {
          cc.cc.lib = package "gcc-lib";
          hostPlatform = { inherit system; };
        };
        addDriverRunpath.driverLink = "/run/opengl-driver";
        mkShellNoCC = attributes: make "shell" attributes;
        runCommand =
          name: attributes: text:
          make name (attributes // { inherit text; });
        writeText = name: text: make name { inherit text; };
        writeShellApplication =
          {
            name,
            runtimeInputs,
            runtimeEnv,
            text,
          }:
          make name { inherit runtimeInputs runtimeEnv text; };
        dockerTools = lib.genAttrs [ "binSh" "caCertificates" "fakeNss" "usrBinEnv" ] package // {
          buildLayeredImage =
            {
              name,
              tag,
              contents,
              extraCommands,
              config,
            }:
            make "${name}-${tag}" {
              inherit contents extraCommands;
              config = builtins.toJSON config;
            };
        };
      };
    };
}
