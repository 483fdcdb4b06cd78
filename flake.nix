{
  description = "Self-play SWE-RL: the interpreter and the tools that envs/shell builds on";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    pyproject-nix = {
      url = "github:pyproject-nix/pyproject.nix";
      inputs.nixpkgs.follows = "nixpkgs";
    };
  };

  # Nix brings the interpreter and the tools, the same to the byte; envs/shell brings the Python packages, by the hashes of
  # envs/*.lock. What the locks hold is read here too, so that the flake and pyproject.toml cannot name different packages.
  outputs =
    {
      self,
      nixpkgs,
      pyproject-nix,
    }:
    let
      inherit (nixpkgs) lib;
      forEach =
        function:
        lib.genAttrs [ "x86_64-linux" ] (system: function nixpkgs.legacyPackages.${system});

      inherit (pyproject-nix.lib) pypa pep440;
      load = pyproject-nix.lib.project;
      project = load.loadPyproject { projectRoot = ./.; };
      named = lib.groupBy (requirement: pypa.normalizePackageName requirement.name);

      # What pyproject.toml puts into a lock: its dependencies, and the extras that `tool.ssr.locks` names.
      asked =
        extras:
        project.dependencies.build-systems
        ++ project.dependencies.dependencies
        ++ lib.concatMap (extra: project.dependencies.extras.${extra}) extras;

      # What a lock pins.
      pinned =
        name:
        (load.loadRequirementsTxt {
          requirements = builtins.readFile (./envs + "/${name}.lock");
        }).dependencies.dependencies;

      fits =
        pins: requirement:
        let
          pin = pins.${pypa.normalizePackageName requirement.name} or [ ];
          # A wheel's local version, such as +cpu, counts as the public one.
          version = (lib.head (lib.head pin).conditions).version // {
            local = null;
          };
        in
        pin != [ ]
        && lib.all (
          condition: pep440.comparators.${condition.op} version condition.version
        ) requirement.conditions;

      # A lock's packages by name, as the flake reads them; stops where pyproject.toml asks for what is not pinned.
      readLock =
        name: extras:
        let
          pins = named (pinned name);
          missing = lib.filter (requirement: !fits pins requirement) (asked extras);
        in
        if missing == [ ] then
          {
            asked = lib.attrNames (named (asked extras));
            pinned = lib.attrNames pins;
          }
        else
          throw "envs/${name}.lock does not pin what pyproject.toml asks for: ${
            lib.concatMapStringsSep ", " (requirement: requirement.name) missing
          }";

      python = pkgs: pkgs.python311;

      tools =
        pkgs: with pkgs; [
          bash
          bubblewrap
          coreutils
          diffutils
          findutils
          gawk
          git
          gnugrep
          gnupatch
          gnused
          gnutar
          gzip
          nodejs
          (python pkgs)
          util-linux
        ];

      # Wheels of the package index look for these where the system keeps them.
      libraries = pkgs: [
        pkgs.stdenv.cc.cc.lib
        pkgs.zlib
      ];

      environment = pkgs: {
        LD_LIBRARY_PATH = lib.makeLibraryPath (libraries pkgs);
        SOURCE_DATE_EPOCH = "315532800";
        SSR_NIX = "0";
      };
    in
    {
      lib.locks = lib.mapAttrs readLock project.pyproject.tool.ssr.locks;

      devShells = forEach (pkgs: {
        default = pkgs.mkShellNoCC ({ packages = tools pkgs; } // environment pkgs);
        # The graphics driver is the machine's own; CUDA comes with the wheels of envs/cuda.lock.
        cuda = pkgs.mkShellNoCC (
          {
            packages = tools pkgs;
          }
          // environment pkgs
          // {
            SSR_LOCK = "cuda";
            LD_LIBRARY_PATH = "${lib.makeLibraryPath (libraries pkgs)}:${pkgs.addDriverRunpath.driverLink}/lib";
          }
        );
      });

      packages = forEach (pkgs: rec {
        default = reproduce;

        # In a checkout, plays that; elsewhere, a copy of this source in the folder `ssr`.
        reproduce = pkgs.writeShellApplication {
          name = "reproduce";
          runtimeInputs = tools pkgs;
          runtimeEnv = environment pkgs;
          text = ''
            if [[ ! -f Snakefile ]]; then
                [[ -d ssr ]] || { cp --recursive ${self} ssr && chmod --recursive u+w ssr; }
                cd ssr
            fi
            exec envs/shell snakemake --cores all "$@"
          '';
        };

        # Tools, interpreter and source. The Python packages are installed from the lock at the first start, into
        # /ssr/.venv: keep that folder as a volume. envs/Containerfile makes an image that holds them.
        image = pkgs.dockerTools.buildLayeredImage {
          name = "ssr";
          tag = "nix";
          contents = tools pkgs ++ [
            pkgs.dockerTools.binSh
            pkgs.dockerTools.caCertificates
            pkgs.dockerTools.fakeNss
            pkgs.dockerTools.usrBinEnv
          ];
          extraCommands = ''
            mkdir -m 1777 tmp
            cp --recursive ${self} ssr
            chmod --recursive u+w ssr
          '';
          config = {
            Env = lib.mapAttrsToList (name: value: "${name}=${value}") (environment pkgs);
            WorkingDir = "/ssr";
            Volumes."/ssr/.venv" = { };
            Volumes."/ssr/results" = { };
            Entrypoint = [ "/ssr/envs/shell" ];
            Cmd = [
              "snakemake"
              "--cores"
              "all"
            ];
          };
        };
      });

      apps = forEach (pkgs: rec {
        default = reproduce;
        reproduce = {
          type = "app";
          program = lib.getExe self.packages.${pkgs.stdenv.hostPlatform.system}.reproduce;
        };
      });

      checks = forEach (pkgs: {
        locks =
          pkgs.runCommand "locks" { nativeBuildInputs = [ (pkgs.python311.withPackages (p: [ p.packaging ])) ]; }
            ''
              python ${self}/envs/check_locks.py ${self} | tee $out
            '';
        scripts = pkgs.runCommand "scripts" { nativeBuildInputs = [ pkgs.bash ]; } ''
          for script in ${self}/envs/* ${self}/.ci/run; do
            if head -n 1 "$script" | grep -q bash; then bash -n "$script"; fi
          done
          touch $out
        '';
        names = pkgs.writeText "locks.json" (builtins.toJSON self.lib.locks);
      });

      formatter = forEach (pkgs: pkgs.nixfmt-tree);
    };
}
